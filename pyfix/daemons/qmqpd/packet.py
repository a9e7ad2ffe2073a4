"""What a QMQP client sends: one netstring, and in it the message, the sender and the recipients as netstrings.

Source: https://cr.yp.to/proto/qmqp.html; qmqpd(8).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout

_MOST_DIGITS: Final = 18


class PacketError(Exception):
    """The packet can't be read; the text says why, and *doing* where."""

    def __init__(self, text: str, doing: str, *, is_lost: bool = False) -> None:
        """*is_lost*: there is nobody to be told."""
        super().__init__(text)
        self.doing = doing
        self.is_lost = is_lost


class Packet(NamedTuple):
    """A message as it came."""

    content: bytes
    sender: bytes
    recipients: list[bytes]


class PacketReader:
    """Reads the packet of one client."""

    def __init__(self, stream: Stream, *, size_limit: int, address_limit: int) -> None:
        """*size_limit*: bytes of a message, 0 for any number; *address_limit*: of an address."""
        self._stream = stream
        self._buffer = b""
        self._left = 0
        """Bytes of the outer string that were not used."""
        self._size_limit = size_limit
        self._address_limit = address_limit

    async def read(self) -> Packet:
        """Return the packet.  Raises PacketError."""
        doing = "receiving QMQP packet header"
        self._left = await self._length(doing, inside=False)
        content = await self._string("receiving message content", self._size_limit)
        sender = await self._string("receiving sender address", self._address_limit)
        recipients = []
        while self._left > 0:
            recipients.append(await self._string("receiving recipient address", self._address_limit))
        if await self._take(1, "receiving recipient address") != b",":
            raise PacketError("netstring format error", "receiving recipient address")
        return Packet(content, sender, recipients)

    async def _length(self, doing: str, *, inside: bool) -> int:
        digits = b""
        while True:
            if inside:
                self._left -= 1
                if self._left < 0:
                    raise PacketError("netstring format error", doing)
            character = await self._take(1, doing)
            if character == b":":
                return int(digits or b"0")
            digits += character
            if not character.isdigit() or len(digits) > _MOST_DIGITS:
                raise PacketError("netstring format error", doing)

    async def _string(self, doing: str, limit: int) -> bytes:
        length = await self._length(doing, inside=True)
        if 0 < limit < length:
            raise PacketError("netstring length exceeds storage limit", doing)
        self._left -= length + 1
        if self._left < 0:
            raise PacketError("netstring format error", doing)
        data = await self._take(length + 1, doing)
        if data[-1:] != b",":
            raise PacketError("netstring format error", doing)
        return data[:-1]

    async def _take(self, count: int, doing: str) -> bytes:
        if len(self._buffer) < count:
            await self._fill(count, doing)
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    async def _fill(self, count: int, doing: str) -> None:
        pieces, have = [self._buffer], len(self._buffer)
        while have < count:
            try:
                data = await self._stream.read()
            except StreamTimeout:
                raise PacketError("read/write timeout", doing, is_lost=True) from None
            except StreamClosed:
                data = b""
            if not data:
                raise PacketError("lost connection", doing, is_lost=True)
            pieces.append(data)
            have += len(data)
        self._buffer = b"".join(pieces)
