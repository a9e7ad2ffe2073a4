"""A session ticket key as programs pass it around: a C structure in the machine's own byte order.

Source: RFC 5077 section 4; postconf(5) tls_session_ticket_cipher.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

__all__ = ["CIPHER_KEY_BYTES", "MAC_KEY_BYTES", "NAME_BYTES", "TicketKey"]

NAME_BYTES: Final = 16
CIPHER_KEY_BYTES: Final = 32
MAC_KEY_BYTES: Final = 32
_LAYOUT: Final = struct.Struct(f"={NAME_BYTES}s{CIPHER_KEY_BYTES}s{MAC_KEY_BYTES}sq")


@dataclass(frozen=True, slots=True)
class TicketKey:
    """One key; it encrypts until *expires* (seconds since the epoch) and decrypts for as long again."""

    name: bytes
    cipher_key: bytes
    mac_key: bytes
    expires: int

    def encode(self) -> bytes:
        """Return the structure."""
        return _LAYOUT.pack(self.name, self.cipher_key, self.mac_key, self.expires)

    @classmethod
    def decode(cls, content: bytes) -> TicketKey | None:
        """Read a structure; None for one of another size."""
        return cls(*_LAYOUT.unpack(content)) if len(content) == _LAYOUT.size else None
