from __future__ import annotations

import struct

from pyfix.formats.ticketkey import TicketKey


def test_the_structure() -> None:
    key = TicketKey(b"n" * 16, b"c" * 32, b"m" * 32, 1795993226)
    assert key.encode() == struct.pack("=16s32s32sq", b"n" * 16, b"c" * 32, b"m" * 32, 1795993226)
    assert TicketKey.decode(key.encode()) == key
    assert TicketKey.decode(b"") is None and TicketKey.decode(key.encode() + b"x") is None
