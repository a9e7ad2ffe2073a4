from struct import pack, unpack_from

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.formats.db.btree import BtreeFile, write_btree
from pyfix.formats.db.page import PAGE_SIZE, DbError

KEYS = st.binary(max_size=40) | st.binary(min_size=950, max_size=1050) | st.integers(0, 9000).map(lambda n: b"k" * n)


def reading(data: bytes) -> BtreeFile:
    return BtreeFile(lambda offset, size: data[offset : offset + size])


def big_endian(data: bytes) -> bytes:
    """Turn the numbers of a btree file around."""

    def swap(form: str, page: bytearray, at: int) -> None:
        values = unpack_from("<" + form, page, at)
        page[at : at + len(pack("<" + form, *values))] = pack(">" + form, *values)

    pages = []
    for start in range(0, len(data), PAGE_SIZE):
        page = bytearray(data[start : start + PAGE_SIZE])
        if not start:
            swap("6I", page, 0)
            swap("6I", page, 28)
            swap("5I", page, 72)
        else:
            entries = unpack_from("<H", page, 20)[0]
            if page[25] != 7:
                for item in unpack_from(f"<{entries}H", page, 26):
                    if page[25] == 3:
                        swap("H", page, item)
                        swap("2I", page, item + 4)
                        if page[item + 2] == 3:
                            swap("2I", page, item + 16)
                    elif page[item + 2] == 3:
                        swap("2I", page, item + 4)
                    else:
                        swap("H", page, item)
                swap(f"{entries}H", page, 26)
            swap("5I2H", page, 0)
        pages.append(bytes(page))
    return b"".join(pages)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEYS, KEYS, max_size=60))
def test_there_and_back(entries: dict[bytes, bytes]) -> None:
    for data in (write_btree(entries), big_endian(write_btree(entries.items()))):
        file = reading(data)
        assert list(file.items()) == sorted(entries.items())
        for key, value in entries.items():
            assert file.get(key) == value
        assert file.get(b"not there") == entries.get(b"not there")


@pytest.mark.parametrize("count", [1, 50, 5000, 40000])
def test_trees_of_each_height(count: int) -> None:
    entries = {f"user{n:06}@example.com\0".encode(): b"%d" % n for n in range(count)}
    file = reading(write_btree(entries))
    for key in list(entries)[:: max(1, count // 500)]:
        assert file.get(key) == entries[key]
        assert file.get(key[:-1]) is None and file.get(key + b"x") is None
    assert sum(1 for _ in file.items()) == count


def test_long_keys_with_one_beginning() -> None:
    """Keys in the pages above the leaves can't be shortened then, and need pages of their own."""
    entries = {b"p" * 1500 + b"%05d" % n: b"v" for n in range(3000)}
    file = reading(write_btree(entries))
    assert all(file.get(key) == b"v" for key in list(entries)[::100])
    assert list(file.items()) == sorted(entries.items())


def test_entries_that_are_marked_as_deleted() -> None:
    data = bytearray(write_btree({b"a": b"1", b"b": b"2"}))
    at = data.index(pack("<HB", 1, 1) + b"a")
    data[at + 2] |= 0x80
    file = reading(bytes(data))
    assert file.get(b"a") is None
    assert list(file.items()) == [(b"b", b"2")]


def test_circles() -> None:
    data = bytearray(write_btree({b"%05d" % n: b"x" * 100 for n in range(200)}))
    file = reading(bytes(data))
    leaf = file._leaf(b"")
    data[leaf.number * PAGE_SIZE + 16 : leaf.number * PAGE_SIZE + 20] = pack("<I", leaf.number)
    with pytest.raises(DbError, match="circle"):
        list(reading(bytes(data)).items())
    root = bytearray(data)
    item = unpack_from("<H", root, PAGE_SIZE + 26)[0]
    root[PAGE_SIZE + item + 4 : PAGE_SIZE + item + 8] = pack("<I", 1)
    with pytest.raises(DbError, match="too many levels"):
        reading(bytes(root)).get(b"")


@pytest.mark.parametrize("count", range(4, 60))
def test_no_page_above_the_leaves_has_a_single_entry(count: int) -> None:
    entries = {b"p" * 900 + b"%05d" % n: b"v" * 900 for n in range(count)}
    data = write_btree(entries)
    assert dict(reading(data).items()) == entries
    assert all(reading(data).get(key) == b"v" * 900 for key in entries)
    for start in range(PAGE_SIZE, len(data), PAGE_SIZE):
        if data[start + 25] == 3:
            assert unpack_from("<H", data, start + 20)[0] >= 2


def test_a_root_that_is_not_there() -> None:
    """As in a file that was cut off behind its first page: an error, and no empty table."""
    data = write_btree({b"k%d" % number: b"v" for number in range(3)})[:4096]
    file = BtreeFile(lambda offset, size: data[offset : offset + size])
    with pytest.raises(DbError):
        file.get(b"k1")
    with pytest.raises(DbError):
        list(file.items())
