import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.formats.db.cdb import CdbFile, write_cdb
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
