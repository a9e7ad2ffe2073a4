from __future__ import annotations

import struct

import pytest

from pyfix.protocols.milter.options import (
    NO_DATA,
    NO_UNKNOWN,
    BadProtocol,
    Conflict,
    Offer,
    Options,
    parse_options,
    parse_protocol,
)
from pyfix.protocols.milter.packet import BadPacket, Packet


@pytest.mark.parametrize(
    ("text", "version", "events"),
    [("2", 2, 0x7F), ("3", 3, 0x17F), ("4", 4, 0x37F), ("6", 6, 0x1FFFFF), ("3, no_header_reply", 3, 0x1FF)],
)
def test_offers(text: str, version: int, events: int) -> None:
    offer = parse_protocol(text)
    assert (offer.version, offer.events) == (version, events)
    assert offer.encode() == struct.pack(">IcIII", 13, b"O", version, 0x1FF, events)


@pytest.mark.parametrize("text", ["", "5", "6 what", "no_header_reply"])
def test_protocols_that_make_no_sense(text: str) -> None:
    with pytest.raises(BadProtocol):
        parse_protocol(text)


def answer(*numbers: int, more: bytes = b"") -> tuple[Options, list[str]]:
    warnings: list[str] = []
    data = struct.pack(f">{len(numbers)}I", *numbers) + more
    return parse_options(Packet(ord("O"), data), parse_protocol("6"), warnings.append), warnings


def test_agreements() -> None:
    more = struct.pack(">I", 0) + b"j {client_addr}\0" + struct.pack(">I", 5) + b"i,v\0" + struct.pack(">I", 9) + b"x\0"
    found, warnings = answer(6, 0x11, 0x10, more=more)
    assert (found.version, found.modifications, found.events, found.missing) == (6, 0x11, 0x10, 0)
    assert found.symbols == {"connect": ("j", "{client_addr}"), "end_of_data": ("i", "v")}
    assert warnings == ["ignoring unknown macro type 9"]
    assert answer(2, 0, 0)[0].missing == NO_DATA | NO_UNKNOWN
    assert answer(1, 0, 0)[1] == ["unexpected protocol version 1"]
    assert answer(6, 0, 0xFFFFFFFF)[0].events == 0x1FFFFF


def test_conflicts() -> None:
    with pytest.raises(Conflict, match="protocol version 7 conflict with MTA protocol version 6"):
        answer(7, 0, 0)
    with pytest.raises(Conflict, match="request mask 0xffff conflict with MTA request mask 0x1ff"):
        answer(6, 0xFFFF, 0)
    with pytest.raises(BadPacket):
        answer(6, 0)
    assert Offer(6, 0).modifications == 0x1FF
