from __future__ import annotations

import struct

import pytest

from pyfix.protocols.milter.modification import (
    AddHeader,
    AddRecipient,
    BodyPiece,
    ChangeHeader,
    ChangeSender,
    DeleteRecipient,
    InsertHeader,
    Modification,
    parse_modification,
)
from pyfix.protocols.milter.packet import BadPacket, Packet


@pytest.mark.parametrize(
    ("kind", "data", "wanted"),
    [
        ("h", b"A\0b\0", AddHeader(b"A", b"b")),
        ("i", struct.pack(">I", 0) + b"A\0b\0", InsertHeader(1, b"A", b"b")),
        ("m", struct.pack(">I", 0) + b"A\0\0", ChangeHeader(1, b"A", b"")),
        ("m", struct.pack(">I", 3) + b"A\0b\0", ChangeHeader(3, b"A", b"b")),
        ("e", b"<a@b>\0", ChangeSender(b"<a@b>", b"")),
        ("e", b"<a@b>\0RET=FULL\0", ChangeSender(b"<a@b>", b"RET=FULL")),
        ("+", b"<a@b>\0", AddRecipient(b"<a@b>", b"")),
        ("2", b"<a@b>\0NOTIFY=NEVER\0", AddRecipient(b"<a@b>", b"NOTIFY=NEVER")),
        ("-", b"<a@b>\0", DeleteRecipient(b"<a@b>")),
        ("b", b"any\0thing", BodyPiece(b"any\0thing")),
        ("c", b"", None),
    ],
)
def test_requests(kind: str, data: bytes, wanted: Modification | None) -> None:
    assert parse_modification(Packet(ord(kind), data)) == wanted


@pytest.mark.parametrize(("kind", "data"), [("h", b"A\0b"), ("i", b"\0"), ("+", b""), ("2", b"a\0"), ("m", b"\0\0\0\1A")])
def test_cut_requests(kind: str, data: bytes) -> None:
    with pytest.raises(BadPacket):
        parse_modification(Packet(ord(kind), data))
