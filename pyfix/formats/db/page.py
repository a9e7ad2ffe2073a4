"""Pages of Berkeley DB files: what hash and btree files have in common.

A file is a row of pages of one size; page 0 describes the rest.  The numbers
are in the byte order of the machine that made the file.  Only what Postfix's
postmap(1) makes is supported: no encryption, checksums, partitions or subdatabases.
"""

from __future__ import annotations

from itertools import accumulate
from operator import sub
from os import urandom
from struct import Struct, pack

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, Literal

    ByteOrder = Literal["<", ">"]

    ReadAt = Callable[[int, int], bytes]
    """Takes an offset and a number of bytes, returns at most that many bytes."""

HASH_MAGIC: Final = 0x061561
BTREE_MAGIC: Final = 0x053162

INVALID: Final = 0
HASH_UNSORTED: Final = 2
INTERNAL_BTREE: Final = 3
LEAF_BTREE: Final = 5
OVERFLOW: Final = 7
HASH_META: Final = 8
BTREE_META: Final = 9
HASH: Final = 13

PAGE_SIZE: Final = 4096
"""Size of the pages that we write."""
HEADER_SIZE: Final = 26
META_SIZE: Final = 512
_NOT_LOGGED: Final = b"\0\0\0\0\1\0\0\0"
"""Log sequence number of a page that no transaction log knows."""


class DbError(Exception):
    """The file is no Berkeley DB file of the expected kind, or it is damaged."""


class Layout:
    """The structures of a file, in its byte order."""

    __slots__ = ("header", "meta", "offpage", "order", "overflow_item", "short")

    def __init__(self, order: ByteOrder) -> None:
        self.order: Final = order
        self.meta: Final = Struct(order + "8xIIIIBBBxIIIIII20s")
        """number, magic, version, size, encryption, type, flags, free, last, partitions, keys, records, flags, id."""
        self.header: Final = Struct(order + "8xIIIHHBB")
        """pgno, previous, next, entries, offset of the lowest item (bytes, on an overflow page), level, type."""
        self.offpage: Final = Struct(order + "B3xII")
        """Hash: item type, first overflow page, length of the item."""
        self.overflow_item: Final = Struct(order + "2xBxII")
        """Btree: the same."""
        self.short: Final = Struct(order + "H")


LITTLE: Final = Layout("<")
_BIG: Final = Layout(">")


class Page:
    """One page as bytes, with its header and the offsets of its items."""

    __slots__ = ("data", "items", "kind", "level", "low", "next", "number")

    def __init__(self, data: bytes, layout: Layout, number: int) -> None:
        """Check the page against itself.  Raises DbError."""
        own, _, self.next, entries, self.low, self.level, self.kind = layout.header.unpack_from(data)
        self.data: Final = data
        self.number: Final = number
        self.items: tuple[int, ...] = ()
        """Offset of each item."""
        if self.kind == INVALID and not entries:
            return  # a page that was set aside and never written
        if own != number:
            raise DbError(f"page {number} says that it is page {own}")
        if self.kind == OVERFLOW:
            if self.low > len(data) - HEADER_SIZE:
                raise DbError(f"page {number} claims {self.low} bytes")
            return
        if HEADER_SIZE + 2 * entries > len(data):
            raise DbError(f"page {number} claims {entries} items")
        self.items = Struct(f"{layout.order}{entries}H").unpack_from(data, HEADER_SIZE)
        if entries and (min(self.items) < HEADER_SIZE + 2 * entries or max(self.items) >= len(data)):
            raise DbError(f"page {number} has an item outside itself")


class DbFile:
    """A Berkeley DB file, read page by page through a function that reads at an offset."""

    magic: int
    meta_kind: int
    versions: range
    known_flags: int
    """Flags of page 0 with which the library opens a file as it does one without them."""

    __slots__ = ("_pages", "_read", "last_page", "layout", "meta", "page_size")

    _MOST_PAGES: Final = 512
    """Pages kept in memory; 2 MB of the usual size."""

    def __init__(self, read: ReadAt) -> None:
        """Read the description in page 0.  Raises DbError, and what *read* raises."""
        self._read: Final = read
        self._pages: dict[int, Page] = {}
        meta = read(0, META_SIZE)
        if len(meta) < META_SIZE:
            raise DbError("too short for a Berkeley DB file")
        for layout in (LITTLE, _BIG):
            _, magic, version, size, encryption, kind, flags, _, last, parts, *rest = layout.meta.unpack_from(meta)
            if magic == self.magic:
                break
        else:
            raise DbError("not a Berkeley DB file of this type")
        if version not in self.versions or kind != self.meta_kind:
            raise DbError(f"Berkeley DB version {version} is not supported")
        if not 512 <= size <= 65536 or size & (size - 1):
            raise DbError(f"impossible page size {size}")
        if rest[2] & ~self.known_flags:
            raise DbError(f"a file with flags {rest[2]:#x} is not supported")
        if encryption or flags & 1 or parts:
            raise DbError("encrypted, checksummed and partitioned Berkeley DB files are not supported")
        self.layout: Final = layout
        self.meta: Final = meta
        self.page_size: Final[int] = size
        self.last_page: Final[int] = last
        self._check_size()

    def _check_size(self) -> None:
        """Refuse a number of pages that is not that of the file: it bounds all work.  Raises DbError."""
        if self.last_page < 1024 or self._read(self.last_page * self.page_size, 1):
            return
        low, high = 0, self.last_page  # there is a page "low", and none "high"
        while high - low > 1:
            middle = (low + high) // 2
            if self._read(middle * self.page_size, 1):
                low = middle
            else:
                high = middle
        # The last ones may have been set aside without being written yet.
        if self.last_page > 2 * low + 1024:
            raise DbError(f"the file has {low + 1} pages, and not {self.last_page + 1}")

    def check_content(self, size: int) -> None:
        """Raise DbError when *size* bytes of items are more than the file can have: some came more than once."""
        if size > (self.last_page + 1) * self.page_size:
            raise DbError("items share pages")

    def page(self, number: int) -> Page:
        """Return a page.  Raises DbError for one that the file does not have, or that is damaged."""
        page = self._pages.get(number)
        if page is None:
            if not 0 < number <= self.last_page:
                raise DbError(f"there is no page {number}")
            data = self._read(number * self.page_size, self.page_size)
            if len(data) < self.page_size:
                # A page that was set aside at the end of the file and never written.
                data += bytes(self.page_size - len(data))
            page = Page(data, self.layout, number)
            if len(self._pages) >= self._MOST_PAGES:
                self._pages.clear()
            self._pages[number] = page
        return page

    def overflow(self, number: int, length: int) -> bytes:
        """Return an item of *length* bytes that fills pages of its own from *number* on."""
        if length > (self.last_page + 1) * self.page_size:
            raise DbError(f"an item of {length} bytes does not fit the file")
        parts, missing = [], length
        while missing > 0:
            page = self.page(number)
            if page.kind != OVERFLOW or not page.low:
                raise DbError(f"page {number} is no overflow page")
            part = page.data[HEADER_SIZE : HEADER_SIZE + min(page.low, missing)]
            parts.append(part)
            missing -= len(part)
            number = page.next
        return b"".join(parts)


def meta_page(magic: int, version: int, kind: int, last_page: int, rest: bytes) -> bytes:
    """Write page 0; *rest* is what a hash or btree file has from byte 72 on."""
    common = LITTLE.meta.pack(0, magic, version, PAGE_SIZE, 0, kind, 0, 0, last_page, 0, 0, 0, 0, urandom(20))
    return (_NOT_LOGGED + common[len(_NOT_LOGGED) :] + rest).ljust(PAGE_SIZE, b"\0")


def page_header(number: int, links: tuple[int, int], entries: int, low: int, kind: int, *, level: int = 0) -> bytes:
    """Write the first bytes of a page; *links* are the numbers of the pages before and after it, or 0."""
    return _NOT_LOGGED + LITTLE.header.pack(number, *links, entries, low, level, kind)[len(_NOT_LOGGED) :]


def item_page(number: int, links: tuple[int, int], items: list[bytes], kind: int, *, level: int = 0) -> bytes:
    """Write a page of items: they stand at its end, the first one last, their offsets behind the header."""
    offsets = list(accumulate(map(len, items), sub, initial=PAGE_SIZE))
    low = offsets[-1]
    head = page_header(number, links, len(items), low & 0xFFFF, kind, level=level)
    head += pack(f"<{len(items)}H", *offsets[1:])
    return b"".join([head, bytes(low - len(head)), *reversed(items)])


def overflow_pages(data: bytes, first: int) -> list[bytes]:
    """Write *data* as pages of its own, numbered from *first* on."""
    room = PAGE_SIZE - HEADER_SIZE
    count = -(-len(data) // room)
    pages = []
    for index in range(count):
        part = data[index * room : (index + 1) * room]
        links = first + index - 1 if index else 0, first + index + 1 if index + 1 < count else 0
        # On these pages "entries" counts the references to the item.
        pages.append((page_header(first + index, links, 1, len(part), OVERFLOW) + part).ljust(PAGE_SIZE, b"\0"))
    return pages
