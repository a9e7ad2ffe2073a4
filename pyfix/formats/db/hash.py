"""Berkeley DB hash files: finding a key, listing all, and writing a whole file.

Keys are spread over buckets by extended linear hashing; a bucket is a page, and more
pages behind it when it is full.  Items larger than a quarter of a page have pages of their own.
"""

from __future__ import annotations

from struct import Struct

from pyfix.formats.db.lanes import fnv_low_bits
from pyfix.formats.db.page import (
    HASH,
    HASH_MAGIC,
    HASH_META,
    HASH_UNSORTED,
    HEADER_SIZE,
    INVALID,
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
_DUPLICATE: Final = 2
_OFFPAGE: Final = 3

_VERSION: Final = 9
_CHECK_KEY: Final = b"%$sniglet^&\0"
"""Its hash stands in page 0, so that a reader knows whether it has the right function."""
_SPARES: Final = 32


def hash_key(key: bytes) -> int:
    """Return the 32-bit FNV hash that Berkeley DB places keys by."""
    value = 0
    for byte in key:
        value = (value * 16777619 & 0xFFFFFFFF) ^ byte
    return value


def _hash_key_old(key: bytes) -> int:
    """Return the hash that files before version 5 were made with."""
    value = 0
    for byte in key:
        value = (value * 33 + byte) & 0xFFFFFFFF
    return value


class HashFile(DbFile):
    """A hash file, for reading."""

    magic = HASH_MAGIC
    meta_kind = HASH_META
    known_flags = 0x07  # duplicates, several databases, duplicates in order
    versions = range(5, 11)

    __slots__ = ("_hash", "_high", "_low", "_max", "_spares")

    def __init__(self, read: ReadAt) -> None:
        """Read the description in page 0.  Raises DbError."""
        super().__init__(read)
        fields = Struct(f"{self.layout.order}6I{_SPARES}I").unpack_from(self.meta, 72)
        self._max, self._high, self._low, _, _, check = fields[:6]
        self._spares: Final = fields[6:]
        for function in (hash_key, _hash_key_old):
            if function(_CHECK_KEY) == check:
                self._hash = function
                break
        else:
            raise DbError("the keys are placed by an unknown hash function")
        if self._max > self.last_page:
            raise DbError(f"{self._max} buckets do not fit the file")

    def _bucket_page(self, bucket: int) -> int:
        spare: int = self._spares[min(bucket.bit_length(), _SPARES - 1)]
        return bucket + spare

    def _chain(self, bucket: int) -> Iterator[Page]:
        number = self._bucket_page(bucket)
        seen = 0
        while number:
            page = self.page(number)
            if page.kind not in (HASH, HASH_UNSORTED):
                if page.kind == INVALID and not seen:
                    return
                raise DbError(f"page {number} is no hash page")
            if len(page.items) & 1:
                raise DbError(f"page {number} has a key without a value")
            yield page
            number = page.next
            seen += 1
            if seen > self.last_page:
                raise DbError(f"the pages of bucket {bucket} go in a circle")

    def _item(self, page: Page, index: int) -> bytes:
        start = page.items[index]
        end = page.items[index - 1] if index else self.page_size
        if end <= start:
            raise DbError(f"item {index} of page {page.number} has no size")
        kind = page.data[start]
        if kind == _KEYDATA:
            return page.data[start + 1 : end]
        if kind == _OFFPAGE and end - start >= 12:
            _, number, length = self.layout.offpage.unpack_from(page.data, start)
            return self.overflow(number, length)
        if kind == _DUPLICATE and end - start >= 5:
            (length,) = self.layout.short.unpack_from(page.data, start + 1)
            return page.data[start + 3 : min(start + 3 + length, end)]
        raise DbError(f"item {index} of page {page.number} is of unknown kind {kind}")

    def get(self, key: bytes) -> bytes | None:
        """Return the value of *key*, None when there is none.  Raises DbError."""
        bucket = self._hash(key) & self._high
        if bucket > self._max:
            bucket &= self._low
        size = len(key) + 1
        wanted = b"\x01" + key
        for page in self._chain(bucket):
            # Searching the page's bytes is quicker than looking at its items one by one.
            items, at = page.items, page.data.find(wanted, HEADER_SIZE)
            while at >= 0:
                if at in items:
                    index = items.index(at)
                    if not index & 1 and (items[index - 1] if index else self.page_size) == at + size:
                        return self._item(page, index + 1)
                at = page.data.find(wanted, at + 1)
            if size > self.page_size // 8:
                for index in range(0, len(items), 2):
                    start = items[index]
                    if (
                        page.data[start] == _OFFPAGE
                        and self.layout.offpage.unpack_from(page.data.ljust(start + 12), start)[2] == len(key)
                        and self._item(page, index) == key
                    ):
                        return self._item(page, index + 1)
        return None

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield all keys and values, in the order of the file.  Raises DbError."""
        pages = size = 0
        for bucket in range(self._max + 1):
            for page in self._chain(bucket):
                pages += 1
                if pages > self.last_page + 1:
                    raise DbError("buckets share pages")
                for index in range(0, len(page.items), 2):
                    key, value = self._item(page, index), self._item(page, index + 1)
                    size += len(key) + len(value)
                    self.check_content(size)
                    yield key, value


def write_hash(entries: dict[bytes, bytes] | Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a hash file with *entries*; a key must not come twice."""
    if not isinstance(entries, dict):
        entries = dict(entries)
    big, room = PAGE_SIZE // 4, PAGE_SIZE - HEADER_SIZE
    keys = list(entries)
    small = max(map(len, keys), default=0) <= big and max(map(len, entries.values()), default=0) <= big
    if small:
        need = sum(map(len, keys)) + sum(map(len, entries.values())) + 6 * len(keys)
    else:
        need = sum(_stored_size(key) + _stored_size(value) + 4 for key, value in entries.items())
    # Three quarters full at most, on average: few buckets then need a second page.
    count = max(2, 1 << (need // (room * 3 // 4)).bit_length())
    mask = count - 1
    buckets: list[list[bytes]] = [[] for _ in range(count)]
    for key, bucket in zip(keys, fnv_low_bits(keys, mask, hash_key), strict=True):
        buckets[bucket].append(key)
    pages: list[bytes] = [b""]
    extra: list[bytes] = []

    def stored(item: bytes) -> bytes:
        if len(item) <= big:
            return b"\x01" + item
        first = count + 1 + len(extra)
        extra.extend(overflow_pages(item, first))
        return LITTLE.offpage.pack(_OFFPAGE, first, len(item))

    for bucket, members in enumerate(buckets, 1):
        members.sort()
        if small:
            items = [b"\x01" + item for key in members for item in (key, entries[key])]
        else:
            items = [stored(item) for key in members for item in (key, entries[key])]
        sizes = list(map(len, items))
        if sum(sizes) + 2 * len(sizes) <= room:
            pages.append(item_page(bucket, (0, 0), items, HASH))
            continue
        groups: list[list[bytes]] = [[]]
        free = room
        for index in range(0, len(items), 2):
            needed = sizes[index] + sizes[index + 1] + 4
            if needed > free:
                groups.append([])
                free = room
            groups[-1] += items[index : index + 2]
            free -= needed
        numbers = [bucket, *range(count + 1 + len(extra), count + len(extra) + len(groups)), 0]
        for index, group in enumerate(groups):
            links = numbers[index - 1] if index else 0, numbers[index + 1]
            (extra if index else pages).append(item_page(numbers[index], links, group, HASH))
    doublings = mask.bit_length()
    spares = [1] * (doublings + 1) + [0] * (_SPARES - doublings - 1)
    rest = Struct(f"<6I{_SPARES}I").pack(mask, mask, mask >> 1, 0, len(keys), hash_key(_CHECK_KEY), *spares)
    pages[0] = meta_page(HASH_MAGIC, _VERSION, HASH_META, count + len(extra), rest)
    return b"".join(pages + extra)


def _stored_size(item: bytes) -> int:
    return len(item) + 1 if len(item) <= PAGE_SIZE // 4 else 12
