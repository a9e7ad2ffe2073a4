"""Which envelope senders a login name may use.  Source: postconf(5) local_login_sender_maps."""

from __future__ import annotations

from pyfix.formats.extension import strip_extension
from pyfix.tables.maps import Maps

__all__ = ["LoginSenders"]

_ANY = "*"


class LoginSenders:
    """Tables from login name to patterns: a sender, ``@domain``, ``*``, or the word for the null sender."""

    def __init__(self, maps: Maps, *, delimiters: str, null_sender: str) -> None:
        """*delimiters*: recipient_delimiter; what comes behind one in a sender is not looked at.

        *null_sender*: empty_address_local_login_sender_maps_lookup_key.
        """
        self._maps = maps
        self._delimiters = delimiters
        self._null_sender = null_sender.casefold()

    def allows(self, login: str, sender: str) -> bool:
        """Tell whether a user may send as *sender*, an address in internal form.  Raises TableError."""
        patterns = self._maps.find_now(login)
        if patterns is None:
            return False
        own = strip_extension(sender, self._delimiters)[0].casefold() if sender else self._null_sender
        at, domain = own.rpartition("@")[1:]
        for pattern in patterns.casefold().replace(",", " ").split():
            if pattern in (_ANY, own) or (at and sender and pattern == at + domain):
                return True
        return False
