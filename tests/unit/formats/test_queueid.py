"""Queue ids as Postfix makes them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.queueid import (
    hash_folders,
    inode_of,
    is_long,
    is_valid,
    long_id,
    long_microseconds,
    long_with_inode,
    short_id,
)


def test_short_id() -> None:
    assert short_id(0x362B5, 0x51E18B) == "362B551E18B"
    assert hash_folders("362B551E18B", 1) == "3/"
    assert hash_folders("362B551E18B", 2) == "3/6/"


def test_names_that_could_leave_the_spool_are_invalid() -> None:
    for name in ("", ".", "..", "a/b", "a b", "x" * 256, "a\n"):
        assert not is_valid(name)
    assert is_valid("4jXQTv0fqDz4k3")


@given(st.integers(0, 2**34), st.integers(0, 999999), st.integers(1, 2**48))
def test_long_id_tells_its_parts(seconds: int, microseconds: int, inode: int) -> None:
    queue_id = long_id(seconds, microseconds, inode)
    assert is_long(queue_id)
    assert is_valid(queue_id)
    assert long_microseconds(queue_id) == microseconds
    assert inode_of(queue_id) == inode
    assert hash_folders(queue_id, 2) == "/".join(f"{microseconds:05X}"[:2]) + "/"


@given(st.integers(0, 999999), st.integers(1, 2**48))
def test_short_id_tells_its_inode(microseconds: int, inode: int) -> None:
    queue_id = short_id(microseconds, inode)
    assert not is_long(queue_id)
    assert inode_of(queue_id) == inode


def test_a_long_id_for_another_inode() -> None:
    assert long_with_inode(long_id(1700000000, 111111, 12345), 777) == long_id(1700000000, 111111, 777)
