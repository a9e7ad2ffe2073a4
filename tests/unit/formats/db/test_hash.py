from struct import pack, unpack_from

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.formats.db.hash import HashFile, hash_key, write_hash
from pyfix.formats.db.page import PAGE_SIZE, DbError

KEYS = st.binary(max_size=40) | st.binary(min_size=1000, max_size=1100) | st.integers(0, 9000).map(lambda n: b"k" * n)


def reading(data: bytes) -> HashFile:
    return HashFile(lambda offset, size: data[offset : offset + size])


def big_endian(data: bytes) -> bytes:
    """Turn the numbers of a hash file around, as a machine of the other byte order would have written it."""

    def swap(form: str, page: bytearray, at: int) -> None:
        values = unpack_from("<" + form, page, at)
        page[at : at + len(pack("<" + form, *values))] = pack(">" + form, *values)

    pages = []
    for start in range(0, len(data), PAGE_SIZE):
        page = bytearray(data[start : start + PAGE_SIZE])
        if not start:
            swap("6I", page, 0)
            swap("6I", page, 28)
            swap("38I", page, 72)
        else:
            entries = unpack_from("<H", page, 20)[0]
            if page[25] != 7:
                items = unpack_from(f"<{entries}H", page, 26)
                for item in items:
                    if page[item] == 3:
                        swap("2I", page, item + 4)
                swap(f"{entries}H", page, 26)
            swap("5I2H", page, 0)
        pages.append(bytes(page))
    return b"".join(pages)


def test_hash_function() -> None:
    """The value that each file of Berkeley DB has for its check key."""
    assert hash_key(b"%$sniglet^&\0") == 0x5E688DD1
    assert hash_key(b"") == 0


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEYS, KEYS, max_size=60))
def test_there_and_back(entries: dict[bytes, bytes]) -> None:
    for data in (write_hash(entries), big_endian(write_hash(entries.items()))):
        assert len(data) % PAGE_SIZE == 0
        file = reading(data)
        assert dict(file.items()) == entries
        for key, value in entries.items():
            assert file.get(key) == value
        assert file.get(b"not there") == entries.get(b"not there")


def test_many_entries() -> None:
    entries = {f"user{n}@example.com\0".encode(): b"x" * (n % 50) for n in range(5000)}
    file = reading(write_hash(entries))
    assert all(file.get(key) == value for key, value in entries.items())
    assert sum(1 for _ in file.items()) == 5000
    assert file.get(b"user1@example.com") is None


def test_a_full_bucket_goes_on_in_further_pages() -> None:
    """Keys that all fall into one bucket."""
    keys = [key for key in (b"%d" % n for n in range(60000)) if hash_key(key) % 64 == 5][:600]
    data = write_hash([(key, b"v" * 100) for key in keys])
    file = reading(data)
    assert all(file.get(key) == b"v" * 100 for key in keys)
    assert sum(1 for _ in file.items()) == len(keys)


def test_a_key_inside_another_item_is_none() -> None:
    file = reading(write_hash({b"abc": b"\x01key", b"\x01key2": b"x"}))
    assert file.get(b"key") is None and file.get(b"key2") is None and file.get(b"ab") is None


def test_circles_and_holes() -> None:
    data = bytearray(write_hash({b"a": b"1", b"b": b"2"}))
    for bucket in (1, 2):
        data[bucket * PAGE_SIZE + 16 : bucket * PAGE_SIZE + 20] = pack("<I", bucket)
    with pytest.raises(DbError, match="circle"):
        list(reading(bytes(data)).items())
    data[PAGE_SIZE + 25] = 5
    data[2 * PAGE_SIZE + 25] = 5
    with pytest.raises(DbError, match="no hash page"):
        reading(bytes(data)).get(b"a")


def test_duplicates_of_other_programs() -> None:
    """The first of several values of one key."""
    data = write_hash({b"k": b"--first--"})
    at = data.index(b"\x01--first--")
    data = data[:at] + b"\x02\x05\x00first\x05\x00"[:10] + data[at + 10 :]
    assert reading(data).get(b"k") == b"first"
