"""LMDB files: whether the pages of the tree are what they have to be.

The library trusts its file: where a page is damaged it may end the process, or read behind the end of the file.
Source: the structures of mdb.c, LMDB 0.9.
"""

from __future__ import annotations

from struct import Struct

from pyfix.formats.db.page import DbError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final

    from pyfix.formats.db.page import ReadAt

_MAGIC: Final = 0xBEEFC0DE
_BRANCH: Final = 1
_LEAF: Final = 2
_OVERFLOW: Final = 4
_BIG: Final = 1
"""Flag of a value that has pages of its own."""
_NONE: Final = (1 << 64) - 1
_DEEPEST: Final = 32
_HEADER: Final = Struct("=QHHHH")
"""Number, padding, flags, end of the offsets of items, begin of the items."""
_HEADER_SIZE: Final = 16
_NODE: Final = Struct("=HHHH")
"""Two halves of the size of the value, flags, size of the key; in a branch three parts of the number of a page."""
_META: Final = Struct("=16xII16x48xIHHQQQQQQQ")
"""Magic, version; of the database page size, flags, depth, counts of pages, entries, root; last page, transaction."""


def check_lmdb(read: ReadAt) -> None:
    """Raise DbError unless the whole tree can be gone through.  What is not asked for is the order of keys."""
    first = _meta(read(0, 4096))
    size = int.from_bytes(read(40, 4)[:4], "little")
    if not 512 <= size <= 65536 or size & (size - 1):
        raise DbError(f"impossible page size {size}")
    depth, root, last, _ = max(first, _meta(read(size, 4096)), key=lambda meta: meta[3])
    if root == _NONE:
        return
    if not 0 < depth <= _DEEPEST:
        raise DbError(f"a tree of {depth} levels")
    seen: set[int] = set()
    level = [root]
    for height in range(depth - 1, -1, -1):
        below: list[int] = []
        for number in level:
            if number in seen or not 1 < number <= last:
                raise DbError(f"page {number} is none of the tree's")
            seen.add(number)
            data = read(number * size, size)
            if len(data) < size:
                raise DbError(f"there is no page {number}")
            below += _pages_below(data, number, _BRANCH if height else _LEAF)
            if not height:
                _check_values(data, read, size, last)
        level = below


def _meta(data: bytes) -> tuple[int, int, int, int]:
    """Return depth and root of the tree, the last page, and the number of the transaction."""
    if len(data) < _META.size:
        raise DbError("too short for an LMDB file")
    magic, version, _, flags, depth, _, _, _, _, root, last, transaction = _META.unpack_from(data)
    if magic != _MAGIC or version != 1 or flags:
        raise DbError("no LMDB file of this kind")
    return depth, root, last, transaction


def _pages_below(data: bytes, number: int, kind: int) -> list[int]:
    own, _, flags, low, high = _HEADER.unpack_from(data)
    if own != number or flags & 15 != kind or low & 1 or not _HEADER_SIZE < low <= high <= len(data):
        raise DbError(f"page {number} is no page of its level")
    starts = _starts(data, low)
    if min(starts) < high or max(starts) + _NODE.size > len(data):
        raise DbError(f"page {number} has an item outside itself")
    if kind == _LEAF:
        return []
    below = []
    for start in starts:
        lowest, middle, highest, key_size = _NODE.unpack_from(data, start)
        if start + _NODE.size + key_size > len(data):
            raise DbError(f"page {number} has an item outside itself")
        below.append(lowest | middle << 16 | highest << 32)
    return below


def _starts(data: bytes, low: int) -> tuple[int, ...]:
    found: tuple[int, ...] = Struct(f"={(low - _HEADER_SIZE) // 2}H").unpack_from(data, _HEADER_SIZE)
    return found


def _check_values(data: bytes, read: ReadAt, size: int, last: int) -> None:
    """Raise DbError unless all items of a leaf are within it, or on pages that the file has."""
    for start in _starts(data, _HEADER.unpack_from(data)[3]):
        lower, upper, flags, key_size = _NODE.unpack_from(data, start)
        begin, length = start + _NODE.size + key_size, lower | upper << 16
        if not flags and begin + length <= size:
            continue
        if flags != _BIG or begin + 8 > size:
            raise DbError("a leaf has an item outside itself")
        number = int.from_bytes(data[begin : begin + 8], "little")
        head = read(number * size, _HEADER_SIZE) if 1 < number <= last else b""
        own, _, kind, low, high = _HEADER.unpack(head) if len(head) == _HEADER_SIZE else (0, 0, 0, 0, 0)
        pages = low | high << 16
        there = number + pages - 1 <= last and pages * size >= _HEADER_SIZE + length
        if own != number or kind & 15 != _OVERFLOW or not there:
            raise DbError("a large value is not where it should be")
