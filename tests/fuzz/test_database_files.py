"""Fuzzing: damaged and truncated table files are an error, at once, and never anything else."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.formats.db.btree import BtreeFile, write_btree
from pyfix.formats.db.cdb import CdbFile, write_cdb
from pyfix.formats.db.hash import HashFile, write_hash
from pyfix.formats.db.page import PAGE_SIZE, DbError
from pyfix.tables.build import build_table
from pyfix.tables.source import open_as
from pyfix.tables.table import Opening, TableError

ENTRIES = {b"key%d" % n: b"value%d" % n * (n % 9) for n in range(400)} | {b"k" * 900 + b"%d" % n: b"v" * 700 * n for n in range(60)}
FILES: dict[str, tuple[bytes, Callable[..., HashFile | BtreeFile | CdbFile]]] = {
    "hash": (write_hash(ENTRIES), HashFile),
    "btree": (write_btree(ENTRIES), BtreeFile),
    "cdb": (write_cdb(ENTRIES.items()), CdbFile),
}
KEYS = [*list(ENTRIES)[::40], b"", b"none", b"k" * 901]


@contextmanager
def _quickly() -> Iterator[None]:
    """Fail what takes longer than some seconds: it would be minutes with a large file."""

    def late(number: int, frame: object) -> None:
        raise AssertionError("it takes too long")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _use(kind: str, data: bytes) -> None:
    with _quickly(), suppress(DbError):
        file = FILES[kind][1](lambda offset, size: data[offset : offset + size])
        for key in KEYS:
            with suppress(DbError):
                file.get(key)
        size = sum(len(key) + len(value) for key, value in file.items())
        assert size <= 2 * len(data) + PAGE_SIZE


CHANGES = st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=8)), min_size=1, max_size=12)


@pytest.mark.parametrize("kind", sorted(FILES))
@settings(max_examples=150, deadline=None)
@given(changes=CHANGES, cut=st.none() | st.integers(0, 1 << 20))
def test_any_bytes_anywhere(kind: str, changes: list[tuple[int, bytes]], cut: int | None) -> None:
    data = bytearray(FILES[kind][0])
    for place, content in changes:
        at = place % (len(data) - 8)
        data[at : at + len(content)] = content
    _use(kind, bytes(data[: cut % len(data)] if cut is not None else data))


@pytest.mark.parametrize("kind", ["hash", "btree"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_fields_of_pages(kind: str, data: st.DataObject) -> None:
    """What the numbers in the headers of pages, and in page 0, may be."""
    content = bytearray(FILES[kind][0])
    pages = len(content) // PAGE_SIZE
    for _ in range(data.draw(st.integers(1, 4))):
        page = data.draw(st.integers(0, pages - 1))
        value = data.draw(st.sampled_from([0, 1, 2, pages - 1, pages, 1 << 16, (1 << 32) - 1]) | st.integers(0, pages))
        places = [12, 20, 32, 72, 76, 80, 88, *range(96, 224, 4)] if not page else [8, 12, 16, 20, 22, 24, *range(26, 60, 2)]
        at = page * PAGE_SIZE + data.draw(st.sampled_from(places))
        content[at : at + 4] = pack("<I", value)
    _use(kind, bytes(content))


@pytest.mark.parametrize("kind", ["hash", "btree"])
def test_a_number_of_pages_that_the_file_does_not_have(kind: str) -> None:
    data = bytearray(FILES[kind][0])
    for last in (1 << 20, (1 << 32) - 1):
        data[32:36] = pack("<I", last)
        if kind == "hash":
            data[72:76] = pack("<I", last)
        with _quickly(), pytest.raises(DbError, match="pages, and not"):
            FILES[kind][1](lambda offset, size: data[offset : offset + size])


@pytest.mark.parametrize("kind", ["hash", "btree", "cdb", "lmdb"])
def test_truncated_files(tmp_path: Path, kind: str) -> None:
    """As tables, at every length: what was cut off is an error of the table, and no process dies of it."""
    name = str(tmp_path / "t")
    build_table(kind, name, [(f"key{n}", "value" * n) for n in range(200)])
    path = next(tmp_path.glob("t.*"))
    whole = path.read_bytes()
    chance = random.Random(1)
    lengths = [0, 1, 100, 511, 512, 4096, 8192, len(whole) - 4096, len(whole) - 1, *(chance.randrange(len(whole)) for _ in range(12))]
    failed = 0
    for length in lengths:
        path.unlink()
        path.write_bytes(whole[:length])
        child = os.fork()
        if not child:
            status = 3
            try:
                with _quickly():
                    table = open_as(f"{kind}:{name}", Opening())
                    asked = [table.find_now(f"key{n}") for n in range(200)]
                    listed = dict(table.items())  # type: ignore[attr-defined]  # these types have it
                    status = 0 if len(listed) == 200 and None not in asked else 1
            except TableError:
                status = 2
            finally:
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, 1, 2), (length, status)
        failed += status != 0
    assert failed >= len(lengths) - 3
