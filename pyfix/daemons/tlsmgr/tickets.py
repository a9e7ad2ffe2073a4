"""Session ticket keys: one that encrypts, and the one before it that still decrypts.

Source: RFC 5077; postconf(5) tls_session_ticket_cipher, smtpd_tls_session_cache_timeout.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Final

NAME_BYTES: Final = 16
_CIPHER_KEY_BYTES: Final = 32
_MAC_KEY_BYTES: Final = 32
_LAYOUT: Final = struct.Struct(f"={NAME_BYTES}s{_CIPHER_KEY_BYTES}s{_MAC_KEY_BYTES}sq")


@dataclass(frozen=True, slots=True)
class TicketKey:
    """One key; it encrypts until *expires* and decrypts for as long again."""

    name: bytes
    cipher_key: bytes
    mac_key: bytes
    expires: int

    @classmethod
    def make(cls, expires: int) -> TicketKey:
        """Return a new random key."""
        return cls(os.urandom(NAME_BYTES), os.urandom(_CIPHER_KEY_BYTES), os.urandom(_MAC_KEY_BYTES), expires)

    def encode(self) -> bytes:
        """Return the key as the C structure that Postfix's TLS library passes around."""
        return _LAYOUT.pack(self.name, self.cipher_key, self.mac_key, self.expires)


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
            self._current = TicketKey.make(now + self._lifetime)
        return self._current

    def named(self, name: bytes, now: int) -> TicketKey | None:
        """Return the key that a ticket was made with, while such tickets are still good."""
        for key in (self._current, self._previous):
            if key is not None and key.name == name and key.expires + self._lifetime > now:
                return key
        return None
