"""Constant databases (cdb): read by two or three jumps into the file, and written as a whole.

Source: D. J. Bernstein, "A structure for constant databases".
"""

from __future__ import annotations

from struct import Struct, pack

from pyfix.formats.db.lanes import cdb_hashes
from pyfix.formats.db.page import DbError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

    from pyfix.formats.db.page import ReadAt

_PAIR: Final = Struct("<II")
_HEAD_SIZE: Final = 2048
_TABLES: Final = 256


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
        place = _HEAD_SIZE
        while place < self._end:
            key_size, value_size = self._record(place)
            data = self._exact(place + 8, key_size + value_size)
            yield data[:key_size], data[key_size:]
            place += 8 + key_size + value_size


def write_cdb(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a constant database with *entries*.  Raises DbError when it would be larger than 4 GB."""
    pairs = list(entries)
    parts = [b""]
    buckets: list[list[tuple[int, int]]] = [[] for _ in range(_TABLES)]
    place = _HEAD_SIZE
    for (key, value), hashed in zip(pairs, cdb_hashes([key for key, _ in pairs], _hash), strict=True):
        buckets[hashed & 255].append((hashed, place))
        parts += (_PAIR.pack(len(key), len(value)), key, value)
        place += 8 + len(key) + len(value)
    head = bytearray()
    for bucket in buckets:
        slots = 2 * len(bucket)
        table = [0] * (2 * slots)
        for hashed, at in bucket:
            slot = hashed // _TABLES % slots * 2
            while table[slot + 1]:
                slot = (slot + 2) % (2 * slots)
            table[slot] = hashed
            table[slot + 1] = at
        if place + slots * 8 >= 1 << 32:
            raise DbError("a cdb file can't be larger than 4 GB")
        head += _PAIR.pack(place, slots)
        parts.append(pack(f"<{2 * slots}I", *table))
        place += slots * 8
    parts[0] = bytes(head)
    return b"".join(parts)
