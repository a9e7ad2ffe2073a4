"""The records that a client sends, as they come out of its connection."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from pyfix.formats.records import END, RecordError, decode_record
from pyfix.runtime.stream import Stream

LAST: Final = (END, 0)
"""Types of records after which a refused message is not read on."""


class EndOfInput(Exception):
    """The client went away amid a message."""


class RecordSource:
    """Records from a stream.  ``data`` from ``position`` on has been received and not been used."""

    __slots__ = ("_damaged", "data", "ended", "position", "stream")

    def __init__(self, stream: Stream, data: bytes) -> None:
        self.stream = stream
        self.data = data
        self.position = 0
        self._damaged = False
        """Whether what stands at ``position`` is no record."""
        self.ended = False
        """Whether the E record has been taken."""

    async def more(self) -> None:
        """Wait for more bytes.  Raises EndOfInput, RecordError, StreamTimeout, StreamClosed."""
        if self._damaged:
            raise RecordError("too many length bits")
        data = await self.stream.read()
        if not data:
            raise EndOfInput
        rest = self.data[self.position :]
        self.data = rest + data if rest else data
        self.position = 0

    def take(self, stops: Collection[int]) -> list[tuple[int, bytes]]:
        """Return the complete records that are there, up to and with the first whose type is one of *stops*.

        What is no record ends them; the next call of more() tells of it.
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
                try:
                    found = decode_record(data, position, end)
                except RecordError:
                    self._damaged = True  # what comes before it is to be taken first
                    break
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

        A record of type 0 ends it, too.  Raises EndOfInput, RecordError, StreamTimeout, StreamClosed.
        """
        while not self.ended:
            records = self.take(LAST)
            if records and records[-1][0] in LAST:
                return
            await self.more()


__all__ = ["EndOfInput", "RecordError", "RecordSource"]
