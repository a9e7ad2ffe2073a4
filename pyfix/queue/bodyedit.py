"""A new body for a queue file that is complete, as milters ask for it."""

from __future__ import annotations

from pyfix.queue.linkedrecords import POINTER_BYTES, LinkedRecords, pointer_record

__all__ = ["BodyEdit"]


class _Region:
    """A stretch of the file for body records; one without an end goes on as long as the file."""

    __slots__ = ("end", "start")

    def __init__(self, start: int, end: int = 0) -> None:
        self.start = start
        self.end = end


class BodyEdit:
    """Writes a body into the place of the first one, and where that is too small at the end of the file."""

    def __init__(self, records: LinkedRecords, start: int, end: int) -> None:
        """*start*, *end*: the place of the first body; what follows it begins at *end*."""
        self._records = records
        self._start = start
        self._end = end
        self._used: list[_Region] = []
        """Regions at the end of the file that the body has now."""
        self._free: list[_Region] = []
        self._region = _Region(0)
        self._position = 0
        self._length = 0

    def begin(self) -> None:
        """Start again; what earlier bodies took can be used."""
        self._free += self._used
        self._used = []
        self._region = _Region(self._start, self._end)
        self._position = self._start
        self._length = 0

    def add(self, record: bytes) -> None:
        """Add a record.  Raises SizeLimitExceeded, OSError."""
        region = self._region
        if region.end and self._position + len(record) + POINTER_BYTES > region.end:
            self._go_on(len(record) + POINTER_BYTES)
        self._write(record)
        self._length += len(record)

    def _go_on(self, needed: int) -> None:
        """Go on in a region with *needed* bytes."""
        region = next((one for one in self._free if one.end - one.start >= needed), None)
        if region is None:
            region = _Region(self._records.file_size)
        else:
            self._free.remove(region)
        self._write(pointer_record(region.start))
        self._used.append(region)
        self._region, self._position = region, region.start

    def _write(self, data: bytes) -> None:
        if self._region.end:
            self._records.overwrite(self._position, data)
        else:
            self._records.append(data)
        self._position += len(data)

    def end(self) -> int:
        """Lead back to the X record; return the length of the body.  Raises OSError."""
        self._write(pointer_record(self._end))
        if not self._region.end:
            self._region.end = self._position
        return self._length
