from __future__ import annotations

from typing import Any

import pytest

from pyfix.daemons.qmqpd.packet import Packet, PacketError, PacketReader
from pyfix.formats.netstring import encode
from pyfix.runtime.stream import StreamClosed, StreamTimeout
from pyfix.runtime.task import run_now


class Pieces:
    """A stream whose client sends what it is told, piece by piece."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = list(pieces)

    async def read(self) -> bytes:
        piece = self._pieces.pop(0) if self._pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece


def read(*pieces: bytes | Exception, size_limit: int = 100) -> Packet:
    stream: Any = Pieces(*pieces)
    return run_now(PacketReader(stream, size_limit=size_limit, address_limit=10).read())


GOOD = encode(encode(b"hello\n") + encode(b"a@b") + encode(b"c@d") + encode(b"e@f"))


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_packet_in_pieces(size: int) -> None:
    pieces = [GOOD[start : start + size] for start in range(0, len(GOOD), size)]
    assert read(*pieces) == Packet(b"hello\n", b"a@b", [b"c@d", b"e@f"])


def test_no_limit() -> None:
    long = encode(encode(b"x" * 10000) + encode(b"") + encode(b"c"))
    assert read(long, size_limit=0).content == b"x" * 10000


@pytest.mark.parametrize(
    ("pieces", "text", "doing", "is_lost"),
    [
        ([b"x"], "netstring format error", "receiving QMQP packet header", False),
        ([b"9" * 30], "netstring format error", "receiving QMQP packet header", False),
        ([b"2:xx,"], "netstring format error", "receiving message content", False),
        ([b"4:9:aa,"], "netstring format error", "receiving message content", False),
        ([b"200:101:aa,"], "netstring length exceeds storage limit", "receiving message content", False),
        ([b"40:1:a;"], "netstring format error", "receiving message content", False),
        ([encode(encode(b"a") + encode(b"b" * 11))], "netstring length exceeds storage limit", "receiving sender address", False),
        ([encode(encode(b"a") + encode(b"b") + b"z")], "netstring format error", "receiving recipient address", False),
        ([GOOD[:-1] + b";"], "netstring format error", "receiving recipient address", False),
        ([GOOD[:-1]], "lost connection", "receiving recipient address", True),
        ([StreamClosed("reset")], "lost connection", "receiving QMQP packet header", True),
        ([GOOD[:6], StreamTimeout()], "read/write timeout", "receiving message content", True),
    ],
)
def test_what_is_no_packet(pieces: list[Any], text: str, doing: str, is_lost: bool) -> None:
    with pytest.raises(PacketError) as caught:
        read(*pieces)
    assert (str(caught.value), caught.value.doing, caught.value.is_lost) == (text, doing, is_lost)
