import tracemalloc
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.formats.db.cdb import CdbFile, CdbWriter, RepeatedKey, write_cdb
from pyfix.formats.db.page import DbError


def reading(data: bytes) -> CdbFile:
    return CdbFile(lambda offset, size: data[offset : offset + size])


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.binary(max_size=50), st.binary(max_size=200), max_size=80))
def test_there_and_back(entries: dict[bytes, bytes]) -> None:
    file = reading(write_cdb(entries.items()))
    assert list(file.items()) == list(entries.items())
    for key, value in entries.items():
        assert file.get(key) == value
    assert file.get(b"x" * 51) is None


def test_the_first_of_several_values() -> None:
    assert reading(write_cdb([(b"k", b"1"), (b"k", b"2")])).get(b"k") == b"1"


def test_distinct_keys() -> None:
    """Two keys of one hash are two keys; the same key twice is found wherever its records are."""
    alike = [b"ab", b"`C"]
    assert len({((5381 * 33 ^ first) * 33 & 0xFFFFFFFF) ^ second for first, second in alike}) == 1
    for keys in ([b"a", b"b"], alike, [b"", b"\0"]):
        writer = CdbWriter(BytesIO(), distinct=True)
        for key in keys:
            writer.add([key], [b"1"])
        writer.finish()
    writer = CdbWriter(BytesIO(), distinct=True)
    writer.add([b"k%d" % number for number in range(5000)], [b""] * 5000)
    writer.add([b"k17"], [b"again"])
    with pytest.raises(RepeatedKey):
        writer.finish()


def test_little_is_in_memory(tmp_path: Path) -> None:
    """Of entries that take 60 bytes each in the file."""
    count = 50_000
    with (tmp_path / "t").open("w+b") as stream:
        tracemalloc.start()
        try:
            writer = CdbWriter(stream, distinct=True)
            for begin in range(0, count, 1000):
                keys = [b"user%06d@example.com" % number for number in range(begin, begin + 1000)]
                writer.add(keys, [b"x" * 16] * 1000)
            writer.finish()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    data = (tmp_path / "t").read_bytes()
    assert len(data) > 3_000_000 > 2 * peak, peak
    assert reading(data).get(b"user012345@example.com") == b"x" * 16
    assert len(list(reading(data).items())) == count


@pytest.mark.parametrize("size", [0, 1, 60_000, 65_528, 65_536, 200_000])
def test_records_of_any_size(size: int) -> None:
    """Blocks in which all records are read end within a record, or with one."""
    entries = {b"k%d" % number: bytes([number]) * (size - number % 9 if size > 9 else size) for number in range(12)}
    entries |= {b"s%d" % number: b"v" * (number % 50) for number in range(4000)}
    assert dict(reading(write_cdb(entries)).items()) == entries


def test_known_file() -> None:
    """One record, as the format's description has it: 5381 hashed with the key's byte."""
    data = write_cdb([(b"a", b"b")])
    assert data[2048:2058] == b"\1\0\0\0\1\0\0\0ab"
    hashed = (5381 * 33 ^ ord("a")) & 0xFFFFFFFF
    head = (hashed & 255) * 8
    assert data[head : head + 8] == (2058).to_bytes(4, "little") + (2).to_bytes(4, "little")


def test_damage() -> None:
    with pytest.raises(DbError, match="too short"):
        reading(b"x" * 100)
    data = write_cdb([(b"a", b"b" * 100)])
    with pytest.raises(DbError, match="outside the file"):
        reading(data[:2100]).get(b"a")
    huge = bytearray(data)
    huge[2048:2052] = b"\xff\xff\xff\x7f"
    with pytest.raises(DbError, match="outside the file"):
        list(reading(bytes(huge)).items())


def test_tables_before_the_records() -> None:
    with pytest.raises(DbError, match="before the records"):
        reading(bytes(3000))
