"""Session ticket keys: one that encrypts, and the one before it that still decrypts.

Source: RFC 5077; postconf(5) tls_session_ticket_cipher, smtpd_tls_session_cache_timeout.
"""

from __future__ import annotations

import os

from pyfix.formats.ticketkey import CIPHER_KEY_BYTES, MAC_KEY_BYTES, NAME_BYTES, TicketKey


def new_key(expires: int) -> TicketKey:
    """Return a random key, which encrypts until *expires*."""
    return TicketKey(os.urandom(NAME_BYTES), os.urandom(CIPHER_KEY_BYTES), os.urandom(MAC_KEY_BYTES), expires)


class TicketKeys:
    """The current and the previous key; *lifetime* is in seconds."""

    def __init__(self, lifetime: int) -> None:
        self._lifetime = max(lifetime, 1)
        self._current: TicketKey | None = None
        self._previous: TicketKey | None = None

    def encrypting(self, now: int) -> TicketKey:
        """Return the key for new tickets, a new one when the last has served its time."""
        if self._current is None or self._current.expires <= now:
            self._previous = self._current
            self._current = new_key(now + self._lifetime)
        return self._current

    def named(self, name: bytes, now: int) -> TicketKey | None:
        """Return the key that a ticket was made with, while such tickets are still good."""
        for key in (self._current, self._previous):
            if key is not None and key.name == name and key.expires + self._lifetime > now:
                return key
        return None
