import pytest

from pyfix.formats.db.hash import HashFile, write_hash
from pyfix.formats.db.page import (
    HASH,
    LITTLE,
    OVERFLOW,
    PAGE_SIZE,
    DbError,
    Page,
    item_page,
    overflow_pages,
    page_header,
)


def test_a_page_there_and_back() -> None:
    data = item_page(7, (3, 9), [b"first", b"second", b"x"], HASH, level=2)
    assert len(data) == PAGE_SIZE
    page = Page(data, LITTLE, 7)
    assert (page.next, page.kind, page.level) == (9, HASH, 2)
    starts = [*page.items]
    assert [data[start:end] for start, end in zip(starts, [PAGE_SIZE, *starts], strict=False)] == [
        b"first",
        b"second",
        b"x",
    ]


def test_overflow_pages() -> None:
    data = bytes(range(256)) * 40
    pages = overflow_pages(data, 5)
    assert len(pages) == 3 and all(len(page) == PAGE_SIZE for page in pages)
    read = [Page(page, LITTLE, 5 + n) for n, page in enumerate(pages)]
    assert [page.next for page in read] == [6, 7, 0]
    assert b"".join(page.data[26 : 26 + page.low] for page in read) == data


def test_pages_that_lie() -> None:
    good = item_page(1, (0, 0), [b"a"], HASH)
    with pytest.raises(DbError, match="page 2 says that it is page 1"):
        Page(good, LITTLE, 2)
    with pytest.raises(DbError, match="claims 5000 items"):
        Page(page_header(1, (0, 0), 5000, 0, HASH).ljust(PAGE_SIZE, b"\0"), LITTLE, 1)
    with pytest.raises(DbError, match="an item outside itself"):
        Page(page_header(1, (0, 0), 1, 0, HASH).ljust(PAGE_SIZE, b"\xff"), LITTLE, 1)
    with pytest.raises(DbError, match="claims 5000 bytes"):
        Page(page_header(1, (0, 0), 1, 5000, OVERFLOW).ljust(PAGE_SIZE, b"\0"), LITTLE, 1)
    assert Page(bytes(PAGE_SIZE), LITTLE, 4).items == ()


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (12, b"\0\0\0\0", "not a Berkeley DB file of this type"),
        (16, b"\x63\0\0\0", "version 99 is not supported"),
        (20, b"\0\x11\0\0", "impossible page size"),
        (24, b"\1", "encrypted"),
        (26, b"\1", "encrypted, checksummed and partitioned"),
        (92, b"abcd", "unknown hash function"),
        (72, b"\xff\xff\0\0", "buckets do not fit the file"),
    ],
)
def test_first_pages_that_are_refused(place: int, value: bytes, complaint: str) -> None:
    data = bytearray(write_hash([(b"a", b"b")]))
    data[place : place + len(value)] = value
    with pytest.raises(DbError, match=complaint):
        HashFile(lambda offset, size: bytes(data[offset : offset + size]))


def test_short_file() -> None:
    with pytest.raises(DbError, match="too short"):
        HashFile(lambda offset, size: b"\0" * 100)
