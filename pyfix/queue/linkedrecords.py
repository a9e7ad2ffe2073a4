"""The records of a queue file that is being changed: pointer records lead from one place in it to another."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from pyfix.formats.records import POINTER, RecordError, decode_record, encode_record
from pyfix.queue.message import pointer_target
from pyfix.queue.writer import QueueFileWriter

__all__ = [
    "MOST_JUMPS", "POINTER_BYTES", "ROOM_BYTES", "DamagedFile", "FoundRecord", "LinkedRecords", "pointer_record",
]  # fmt: skip

ROOM_BYTES: Final = 15
"""The text that a record needs at least, so that a pointer can take its place."""
POINTER_BYTES: Final = ROOM_BYTES + 2
"""Length of a pointer record."""
MOST_JUMPS: Final = 10000
"""Pointers that may be followed on one way through a file; with more it goes round in circles."""
_BLOCK: Final = 8192


def pointer_record(offset: int) -> bytes:
    """Return the record that leads to *offset*; 0: to what follows it."""
    return encode_record(POINTER, b"%15d" % offset)


class DamagedFile(Exception):
    """The file does not have the records that were written; the text says where."""


class FoundRecord(NamedTuple):
    """A record, and where it is."""

    place: int
    kind: int
    text: bytes
    after: int
    """Offset of the record behind it."""


class LinkedRecords:
    """The records of one file, read in blocks."""

    __slots__ = ("_base", "_block", "_file")

    def __init__(self, file: QueueFileWriter) -> None:
        self._file = file
        self._block = b""
        self._base = 0

    @property
    def file_size(self) -> int:
        """Bytes of the file, with those that are not written out yet."""
        return self._file.size

    def at(self, offset: int) -> FoundRecord:
        """Return the record at *offset*.  Raises DamagedFile, OSError."""
        size = _BLOCK
        while True:
            start = offset - self._base
            if 0 <= start < len(self._block):
                try:
                    found = decode_record(self._block, start, len(self._block))
                except RecordError as error:
                    raise DamagedFile(f"{error} at {offset}") from None
                if found is not None:
                    kind, begin, after = found
                    return FoundRecord(offset, kind, self._block[begin:after], self._base + after)
                size *= 4
            block = self.read(offset, size)
            if len(block) <= len(self._block) and self._base == offset:
                raise DamagedFile(f"no record at {offset}")
            if not block:
                raise DamagedFile(f"no record at {offset}")
            self._base, self._block = offset, block

    def read(self, offset: int, size: int) -> bytes:
        """Return *size* bytes at *offset*, fewer at the end of the file.  Raises OSError."""
        self._file.write_out()
        return os.pread(self._file.fd, size, offset)

    def append(self, records: bytes) -> int:
        """Write records at the end of the file, and return where they are.  Raises SizeLimitExceeded, OSError."""
        place = self._file.size
        self._file.append(records)
        self._block = b""
        return place

    def lead(self, place: int, target: int) -> None:
        """Let the record at *place* lead to *target*.  Raises OSError."""
        self.overwrite(place, pointer_record(target))

    def overwrite(self, place: int, data: bytes) -> None:
        """Write *data* over what is at *place*.  Raises OSError."""
        self._file.overwrite(place, data)
        self._block = b""

    def jump(self, record: FoundRecord) -> int:
        """Return where a pointer leads, or what follows it.  Raises DamagedFile."""
        target = pointer_target(record.text)
        if target is None:
            raise DamagedFile(f"malformed pointer at {record.place}")
        return target or record.after
