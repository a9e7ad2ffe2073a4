"""Defaults that only an old compatibility_level keeps in use, and what smtpd says where one of them decides.

Source: COMPATIBILITY_README; postconf(5) compatibility_level.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.compatibility import flushes_by_old_default, is_old_default, old_default_text
from pyfix.config.own_networks import default_networks
from pyfix.config.parameter import split_words
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.log import log
from pyfix.tables.matchlist import MatchList

__all__ = ["OldDefaults"]


class OldDefaults:
    """Which defaults of one main.cf are old ones."""

    def __init__(self, snapshot: Snapshot) -> None:
        def is_old(name: str, new_level: str) -> bool:
            return is_old_default(snapshot, name, new_level)

        self.smtputf8: Final = is_old("smtputf8_enable", "1")
        self.relay_list: Final = is_old("smtpd_relay_restrictions", "1")
        self.relay_domains: Final = is_old("relay_domains", "2")
        self.flush_domains: Final = flushes_by_old_default(snapshot)
        self.relay_last: Final = is_old("smtpd_relay_before_recipient_restrictions", "3.6")
        self._digest: Final = is_old("smtpd_tls_fingerprint_digest", "3.6")
        self._style = ""
        self._host: MatchList | None = None
        if is_old("mynetworks_style", "2") and snapshot.raw("mynetworks") is None:
            self._style = snapshot.value("mynetworks_style")
            host = default_networks(snapshot.with_overrides([("mynetworks_style", "host")]))
            self._host = MatchList("mynetworks", split_words(host), snapshot)

    def tell_network(self, address: str, client: str) -> None:
        """Tell that a client may do something because mynetworks has more than our own addresses."""
        if self._host is not None and not self._host.matches_address(address):
            _tell(f'mynetworks_style={self._style} to permit request from client "{client}"')

    def tell_relay(self, what: str, subject: str) -> None:
        """Tell that a domain is ours to relay because relay_domains has mydestination.

        *what* is done for the subject, ``accept mail for address`` say.
        """
        if self.relay_domains:
            _tell(f'relay_domains=$mydestination to {what} "{subject}"')

    def tell_utf8(self, kind: str, address: str, client: str) -> None:
        """Tell that an address with other characters than ASCII is taken as it comes."""
        if self.smtputf8 and not address.isascii():
            _tell(f'smtputf8_enable=no to accept non-ASCII {kind} address "{address}" from {client}')

    def tell_order(self, recipient: str, client: str) -> None:
        """Tell that smtpd_recipient_restrictions refuse what smtpd_relay_restrictions were not asked about."""
        if self.relay_last:
            _tell(
                f'smtpd_relay_before_recipient_restrictions=no to reject recipient "{recipient}" from client "{client}"'
            )

    def tell_digest(self, what: str) -> None:
        """Tell that the fingerprints of a client are made with a weak digest.  *what* is computed, in the plural."""
        if self._digest:
            _tell(f"smtpd_tls_fingerprint_digest=md5 to compute {what}")

    @staticmethod
    def tell_relay_list(recipient: str, client: str) -> None:
        """Tell that a recipient is accepted that the default smtpd_relay_restrictions would refuse."""
        _tell(
            '"smtpd_relay_restrictions = (empty)" to avoid "Relay access denied" error '
            f'for recipient "{recipient}" from client "{client}"'
        )


def _tell(what: str) -> None:
    log.info(old_default_text(what))
