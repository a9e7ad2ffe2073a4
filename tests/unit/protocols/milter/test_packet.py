from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.milter.packet import HELD, MOST, BadPacket, Packet, PacketReader, encode_packet, encode_words


def test_packets_in_pieces() -> None:
    reader = PacketReader()
    data = encode_packet(b"c") + encode_packet(b"y", b"550 no\0")
    found = []
    for byte in data:
        reader.feed(bytes((byte,)))
        while (packet := reader.next()) is not None:
            found.append((packet.kind, packet.data))
    assert found == [(ord("c"), b""), (ord("y"), b"550 no\0")]
    assert reader.is_empty
    reader.feed(b"\0\0\0")
    assert not reader.has_begun
    reader.feed(b"\5")
    assert reader.has_begun


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "bad packet length: 0"),
        (MOST + 1, f"unreasonable packet length: {MOST + 1} > {MOST}"),
        (HELD + 1, f"unreasonable packet length: {HELD + 1} > {HELD}"),
    ],
)
def test_sizes_that_are_not_believed(size: int, text: str) -> None:
    reader = PacketReader()
    reader.feed(struct.pack(">I", size))
    with pytest.raises(BadPacket, match=text):
        reader.next()


def test_what_is_in_a_packet() -> None:
    packet = Packet(ord("m"), struct.pack(">I", 7) + b"Name\0value\0rest")
    assert (packet.number(), packet.word(), packet.word(), packet.text()) == (7, b"Name", b"value", b"rest")
    with pytest.raises(BadPacket, match="packet too short for string"):
        packet.word()
    with pytest.raises(BadPacket, match="input packet too short for network long"):
        packet.number()
    with pytest.raises(BadPacket, match="missing string null termimator"):
        Packet(0, b"no end").word()
    assert Packet(0, b"text\0more").text() == b"text"


def test_words() -> None:
    assert encode_words((b"a", b"", b"b\0c")) == b"a\0\0b\0"


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_any_input(pieces: list[bytes]) -> None:
    """Packets or BadPacket, and nothing else."""
    reader = PacketReader()
    for piece in pieces:
        reader.feed(piece)
        try:
            while reader.next() is not None:
                pass
        except BadPacket:
            return
