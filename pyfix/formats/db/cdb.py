"""Constant databases (cdb): read by two or three jumps into the file, and written as a whole.

Source: D. J. Bernstein, "A structure for constant databases".
"""

from __future__ import annotations

from array import array
from struct import Struct, pack

from pyfix.formats.db.lanes import cdb_hashes
from pyfix.formats.db.page import DbError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO, Final

    from pyfix.formats.db.page import ReadAt

_PAIR: Final = Struct("<II")
_HEAD_SIZE: Final = 2048
_TABLES: Final = 256
_LARGEST: Final = 1 << 32
_PIECE: Final = 4096
"""Entries that are written together."""
_BLOCK: Final = 65536
"""Bytes of records that are read together when all are."""


def _hash(key: bytes) -> int:
    value = 5381
    for byte in key:
        value = ((value << 5) + value & 0xFFFFFFFF) ^ byte
    return value


class CdbFile:
    """A constant database, for reading."""

    __slots__ = ("_end", "_read", "_tables")

    def __init__(self, read: ReadAt) -> None:
        """Read the places of the 256 hash tables.  Raises DbError, and what *read* raises."""
        self._read: Final = read
        head = read(0, _HEAD_SIZE)
        if len(head) < _HEAD_SIZE:
            raise DbError("too short for a cdb file")
        self._tables: Final = list(_PAIR.iter_unpack(head))
        self._end: Final = min(place for place, _ in self._tables)
        """Where the records end."""
        if self._end < _HEAD_SIZE:
            raise DbError("a table lies before the records")

    def _exact(self, place: int, size: int) -> bytes:
        # A damaged size must not make us ask for gigabytes: look first whether there is a last byte.
        data = self._read(place, size) if not size or self._read(place + size - 1, 1) else b""
        if len(data) < size:
            raise DbError("a part lies outside the file")
        return data

    def _record(self, place: int) -> tuple[int, int]:
        if place < _HEAD_SIZE or place + 8 > self._end:
            raise DbError("a record lies outside the file")
        key_size, value_size = _PAIR.unpack(self._exact(place, 8))
        if place + 8 + key_size + value_size > self._end:
            raise DbError("a record lies outside the file")
        return key_size, value_size

    def get(self, key: bytes) -> bytes | None:
        """Return the first value of *key*, None when there is none.  Raises DbError."""
        wanted = _hash(key)
        start, slots = self._tables[wanted % _TABLES]
        if not slots:
            return None
        table = self._exact(start, slots * 8)
        first = (wanted // _TABLES) % slots
        for step in range(slots):
            found, place = _PAIR.unpack_from(table, (first + step) % slots * 8)
            if not place:
                return None
            if found == wanted:
                key_size, value_size = self._record(place)
                if key_size == len(key) and self._exact(place + 8, key_size) == key:
                    return self._exact(place + 8 + key_size, value_size)
        return None

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield all keys and values, in the order in which they were written.  Raises DbError."""
        place, block, begin = _HEAD_SIZE, b"", _HEAD_SIZE
        while place < self._end:
            if place + 8 > self._end:
                raise DbError("a record lies outside the file")
            at = place - begin
            if at + 8 > len(block):
                begin, at = place, 0
                block = self._read(place, _BLOCK)
                if len(block) < 8:
                    raise DbError("a part lies outside the file")
            key_size, value_size = _PAIR.unpack_from(block, at)
            end = at + 8 + key_size + value_size
            if begin + end > self._end:
                raise DbError("a record lies outside the file")
            if end > len(block):
                begin, at, end = place, 0, end - at
                block = self._exact(place, end) if end > _BLOCK else self._read(place, _BLOCK)
                if len(block) < end:
                    raise DbError("a part lies outside the file")
            yield block[at + 8 : at + 8 + key_size], block[at + 8 + key_size : end]
            place += end - at


class RepeatedKey(Exception):
    """A key comes twice, or more often."""


class CdbWriter:
    """Writes a constant database from its beginning to its end; of an entry only eight bytes stay in memory."""

    def __init__(self, stream: BinaryIO, *, distinct: bool = False) -> None:
        """*stream* is read, too, when keys may be *distinct* only: then finish() looks at those with the same hash."""
        self._stream: Final = stream
        self._distinct: Final = distinct
        self._buckets: Final = [array("Q") for _ in range(_TABLES)]
        """For each table the hashes and places of its records: the hash in the upper half."""
        self._place = _HEAD_SIZE
        stream.seek(0)
        stream.write(bytes(_HEAD_SIZE))

    def add(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        """Write entries.  Raises DbError when the file would be larger than 4 GB, OSError."""
        place, buckets = self._place, self._buckets
        for begin in range(0, len(keys), _PIECE):
            some = keys[begin : begin + _PIECE]
            parts: list[bytes] = []
            for key, value, hashed in zip(some, values[begin : begin + _PIECE], cdb_hashes(some, _hash), strict=True):
                buckets[hashed & 255].append(hashed << 32 | place)
                parts += (_PAIR.pack(len(key), len(value)), key, value)
                place += 8 + len(key) + len(value)
                if place >= _LARGEST:
                    raise DbError("a cdb file can't be larger than 4 GB")
            self._stream.write(b"".join(parts))
        self._place = place

    def finish(self) -> None:
        """Write the hash tables, and where they are.  Raises DbError, RepeatedKey, OSError."""
        head = bytearray()
        place = self._place
        for bucket in self._buckets:
            slots = 2 * len(bucket)
            table = [0] * (2 * slots)
            for entry in bucket:
                hashed, at = entry >> 32, entry & 0xFFFFFFFF
                slot = hashed // _TABLES % slots * 2
                while table[slot + 1]:
                    if table[slot] == hashed and self._distinct and self._key(table[slot + 1]) == self._key(at):
                        raise RepeatedKey
                    slot = (slot + 2) % (2 * slots)
                table[slot] = hashed
                table[slot + 1] = at
            if place + slots * 8 >= _LARGEST:
                raise DbError("a cdb file can't be larger than 4 GB")
            head += _PAIR.pack(place, slots)
            self._stream.seek(place)
            self._stream.write(pack(f"<{2 * slots}I", *table))
            place += slots * 8
        self._stream.seek(0)
        self._stream.write(head)
        self._stream.flush()

    def _key(self, place: int) -> bytes:
        self._stream.seek(place)
        size, _ = _PAIR.unpack(self._stream.read(8))
        return self._stream.read(size)


def write_cdb(entries: dict[bytes, bytes] | Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a constant database with *entries*.  Raises DbError when it would be larger than 4 GB."""
    from io import BytesIO

    pairs = list(entries.items() if isinstance(entries, dict) else entries)
    stream = BytesIO()
    writer = CdbWriter(stream)
    writer.add([key for key, _ in pairs], [value for _, value in pairs])
    writer.finish()
    return stream.getvalue()
