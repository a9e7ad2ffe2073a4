"""The records that a client sends, as they come out of its connection."""

from __future__ import annotations

from collections.abc import Collection

from pyfix.formats.records import END, RecordError, decode_record
from pyfix.runtime.stream import Stream


class EndOfInput(Exception):
    """The client went away amid a message."""


class RecordSource:
    """Records from a stream.  ``data`` from ``position`` on has been received and not been used."""

    __slots__ = ("data", "ended", "position", "stream")

    def __init__(self, stream: Stream, data: bytes) -> None:
        self.stream = stream
        self.data = data
        self.position = 0
        self.ended = False
        """Whether the E record has been taken."""

    async def more(self) -> None:
        """Wait for more bytes.  Raises EndOfInput, StreamTimeout, StreamClosed."""
        data = await self.stream.read()
        if not data:
            raise EndOfInput
        rest = self.data[self.position :]
        self.data = rest + data if rest else data
        self.position = 0

    def take(self, stops: Collection[int]) -> list[tuple[int, bytes]]:
        """Return the complete records that are there, up to and with the first whose type is one of *stops*.

        Raises RecordError.
        """
        data, position = self.data, self.position
        end = len(data)
        last = end - 1
        records: list[tuple[int, bytes]] = []
        append = records.append
        while position < last:
            kind = data[position]
            length = data[position + 1]
            if length < 0x80:
                begin = position + 2
                after = begin + length
                if after > end:
                    break
            else:
                found = decode_record(data, position, end)
                if found is None:
                    break
                kind, begin, after = found
            append((kind, data[begin:after]))
            position = after
            if kind in stops:
                self.ended = kind == END
                break
        self.position = position
        return records

    async def skip(self) -> None:
        """Read on up to and with the E record, for a message with which nothing is done any more.

        Raises EndOfInput, RecordError, StreamTimeout, StreamClosed.
        """
        while not self.ended:
            self.take((END,))
            if not self.ended:
                await self.more()


__all__ = ["EndOfInput", "RecordError", "RecordSource"]
