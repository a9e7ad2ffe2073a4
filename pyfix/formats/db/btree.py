"""Berkeley DB btree files: finding a key, listing all in order, and writing a whole file.

Leaf pages have keys and values in turn, in the order of the keys; internal pages have
for each page below them a key that is not greater than its keys.  Items larger than
about a quarter of a page have pages of their own.
"""

from __future__ import annotations

from bisect import bisect_right
from struct import Struct, pack

from pyfix.formats.db.page import (
    BTREE_MAGIC,
    BTREE_META,
    HEADER_SIZE,
    INTERNAL_BTREE,
    LEAF_BTREE,
    LITTLE,
    PAGE_SIZE,
    DbError,
    DbFile,
    Page,
    item_page,
    meta_page,
    overflow_pages,
)

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

    from pyfix.formats.db.page import ReadAt

_KEYDATA: Final = 1
_OVERFLOW: Final = 3
_DELETED: Final = 0x80

_VERSION: Final = 9
_LEAST_KEYS: Final = 2
"""Each page must hold this many keys; what follows from it is the size of the largest item on a page."""
_MOST_ON_PAGE: Final = (PAGE_SIZE - HEADER_SIZE) // (_LEAST_KEYS * 2) - (2 + 3 + 4)
_DEEPEST: Final = 40


class BtreeFile(DbFile):
    """A btree file, for reading."""

    magic = BTREE_MAGIC
    meta_kind = BTREE_META
    known_flags = 0x65  # duplicates, record numbers, several databases, duplicates in order
    versions = range(8, 11)

    __slots__ = ("_internal", "_root")

    def __init__(self, read: ReadAt) -> None:
        """Read the description in page 0.  Raises DbError."""
        super().__init__(read)
        (self._root,) = Struct(self.layout.order + "I").unpack_from(self.meta, 88)
        self._internal: dict[int, tuple[list[bytes], list[int]]] = {}

    def _item(self, page: Page, index: int) -> bytes | None:
        """Return an item of a leaf, None when it is marked as deleted."""
        start, data = page.items[index], page.data
        if start + 3 > self.page_size:
            raise DbError(f"item {index} of page {page.number} is cut off")
        kind = data[start + 2]
        if kind & _DELETED:
            return None
        if kind == _KEYDATA:
            (length,) = self.layout.short.unpack_from(data, start)
            if start + 3 + length > self.page_size:
                raise DbError(f"item {index} of page {page.number} is cut off")
            return data[start + 3 : start + 3 + length]
        if kind == _OVERFLOW and start + 12 <= self.page_size:
            _, number, length = self.layout.overflow_item.unpack_from(data, start)
            return self.overflow(number, length)
        raise DbError(f"item {index} of page {page.number} is of unknown kind {kind}")

    def _children(self, page: Page) -> tuple[list[bytes], list[int]]:
        """Return the keys (without the first, which counts as lower than any) and pages of an internal page."""
        known = self._internal.get(page.number)
        if known is not None:
            return known
        keys, numbers = [], []
        entry = Struct(self.layout.order + "HBxII")
        total = 0
        for index, start in enumerate(page.items):
            if start + 12 > self.page_size:
                raise DbError(f"item {index} of page {page.number} is cut off")
            length, kind, number, _ = entry.unpack_from(page.data, start)
            numbers.append(number)
            if not index:
                continue
            if kind & ~_DELETED == _OVERFLOW and start + 24 <= self.page_size:
                _, first, size = self.layout.overflow_item.unpack_from(page.data, start + 12)
                total += size
                self.check_content(total)
                keys.append(self.overflow(first, size))
            elif kind & ~_DELETED == _KEYDATA and start + 12 + length <= self.page_size:
                keys.append(page.data[start + 12 : start + 12 + length])
            else:
                raise DbError(f"item {index} of page {page.number} is of unknown kind {kind}")
        if not numbers:
            raise DbError(f"page {page.number} has nothing below it")
        if len(self._internal) >= self._MOST_PAGES:
            self._internal.clear()
        self._internal[page.number] = keys, numbers
        return keys, numbers

    def _leaf(self, key: bytes) -> Page:
        """Return the leaf that has *key* if the file has it; the empty key leads to the first leaf."""
        number = self._root
        for _ in range(_DEEPEST):
            page = self.page(number)
            if page.kind == LEAF_BTREE:
                if len(page.items) & 1:
                    raise DbError(f"page {number} has a key without a value")
                return page
            if page.kind != INTERNAL_BTREE:
                raise DbError(f"page {number} is no btree page")
            keys, numbers = self._children(page)
            number = numbers[bisect_right(keys, key)]
        raise DbError("the tree has too many levels")

    def get(self, key: bytes) -> bytes | None:
        """Return the value of *key*, None when there is none.  Raises DbError."""
        page = self._leaf(key)
        items = page.items
        if len(key) < self.page_size:
            # Searching the page's bytes is quicker than looking at its items one by one.
            wanted = self.layout.short.pack(len(key)) + b"\x01" + key
            at = page.data.find(wanted, HEADER_SIZE)
            while at >= 0:
                if at in items:
                    index = items.index(at)
                    if not index & 1:
                        return self._item(page, index + 1)
                at = page.data.find(wanted, at + 1)
        if len(key) > self.page_size // 8:
            for index in range(0, len(items), 2):
                start = items[index]
                if (
                    page.data[start + 2 : start + 3] == b"\x03"
                    and self.layout.overflow_item.unpack_from(page.data.ljust(start + 12), start)[2] == len(key)
                    and self._item(page, index) == key
                ):
                    return self._item(page, index + 1)
        return None

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield all keys and values, in the order of the keys.  Raises DbError."""
        page, size = self._leaf(b""), 0
        for _ in range(self.last_page + 1):
            for index in range(0, len(page.items), 2):
                key, value = self._item(page, index), self._item(page, index + 1)
                if key is not None and value is not None:
                    size += len(key) + len(value)
                    self.check_content(size)
                    yield key, value
            if not page.next:
                return
            page = self.page(page.next)
            if page.kind != LEAF_BTREE or len(page.items) & 1:
                raise DbError(f"page {page.number} is no leaf of the tree")
        raise DbError("the leaves go in a circle")


_LENGTHS: Final = [pack("<HB", size, _KEYDATA) for size in range(_MOST_ON_PAGE + 1)]
_FILLING: Final = (b"\0", b"", b"\0\0\0", b"\0\0")
"""By the size of an item modulo 4: what makes it, with the three bytes before it, a multiple of 4."""


def _padded(item: bytes) -> bytes:
    return item + bytes(-len(item) & 3)


class _Writer:
    """Lays out the tree; page 1 is the root, the others come as they are needed."""

    def __init__(self) -> None:
        self.pages: list[bytes] = [b"", b""]

    def item(self, data: bytes) -> bytes:
        """Return an item of a leaf; large ones go to pages of their own."""
        size = len(data)
        if size <= _MOST_ON_PAGE:
            return b"%b%b%b" % (_LENGTHS[size], data, _FILLING[size & 3])
        return LITTLE.overflow_item.pack(_OVERFLOW, self._set_apart(data), len(data))

    def entry(self, key: bytes, number: int) -> bytes:
        """Return an entry of an internal page."""
        head = Struct("<HBxII")
        if len(key) <= _MOST_ON_PAGE - 9:
            return _padded(head.pack(len(key), _KEYDATA, number, 0) + key)
        return head.pack(12, _OVERFLOW, number, 0) + LITTLE.overflow_item.pack(
            _OVERFLOW, self._set_apart(key), len(key)
        )

    def _set_apart(self, data: bytes) -> int:
        first = len(self.pages)
        self.pages += overflow_pages(data, first)
        return first

    def level(self, groups: list[tuple[bytes, list[bytes]]], level: int) -> list[tuple[bytes, int]]:
        """Write one level, and return the lowest key and the number of each of its pages."""
        if len(groups) == 1:
            numbers = [1]
        else:
            numbers = list(range(len(self.pages), len(self.pages) + len(groups)))
            self.pages += [b""] * len(groups)
        kind = LEAF_BTREE if level == 1 else INTERNAL_BTREE
        for index, (_, items) in enumerate(groups):
            previous = numbers[index - 1] if index and level == 1 else 0
            following = numbers[index + 1] if index + 1 < len(groups) and level == 1 else 0
            self.pages[numbers[index]] = item_page(numbers[index], (previous, following), items, kind, level=level)
        return [(low, number) for (low, _), number in zip(groups, numbers, strict=True)]


def _between(left: bytes, right: bytes) -> bytes:
    """Return the shortest beginning of *right* that is greater than *left*."""
    for length, (mine, other) in enumerate(zip(left, right, strict=False)):
        if mine != other:
            return right[: length + 1]
    return right[: len(left) + 1]


def write_btree(entries: dict[bytes, bytes] | Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a btree file with *entries*; a key must not come twice."""
    pairs = sorted(entries.items() if isinstance(entries, dict) else entries)
    writer = _Writer()
    room = PAGE_SIZE - HEADER_SIZE
    groups: list[tuple[bytes, list[bytes]]] = [(b"", [])]
    free, last = room, b""
    for key, value in pairs:
        new = [writer.item(key), writer.item(value)]
        needed = len(new[0]) + len(new[1]) + 4
        if needed > free:
            groups.append((_between(last, key), []))
            free = room
        groups[-1][1].extend(new)
        free -= needed
        last = key
    level = 1
    below = writer.level(groups, level)
    while len(below) > 1:
        level += 1
        groups = []
        free = 0
        for index, (low, number) in enumerate(below):
            item = writer.entry(low if index else b"", number)
            # Two entries at least on each page: the last one of a level must not stand alone.
            if not groups or (len(item) + 2 > free and len(below) - index > 1):
                groups.append((low, []))
                free = room
            elif len(item) + 2 > free:
                moved_low, moved_number = below[index - 1]
                groups[-1][1].pop()
                groups.append((moved_low, [writer.entry(moved_low, moved_number)]))
                free = room - len(groups[-1][1][0]) - 2
            groups[-1][1].append(item)
            free -= len(item) + 2
        below = writer.level(groups, level)
    rest = Struct("<5I").pack(0, _LEAST_KEYS, 0, 0x20, 1)
    writer.pages[0] = meta_page(BTREE_MAGIC, _VERSION, BTREE_META, len(writer.pages) - 1, rest)
    return b"".join(writer.pages)
