"""Berkeley DB files of the library itself and of pyfix: each understands, and changes, those of the other."""

from __future__ import annotations

import random
import subprocess
import threading
from pathlib import Path

import pytest

from pyfix.formats.db.btree import BtreeFile, write_btree
from pyfix.formats.db.hash import HashFile, write_hash
from pyfix.tables.build import build_table
from pyfix.tables.source import open_as
from pyfix.tables.table import Opening
from tests.kit import libdb, programs

from .conftest import Both

pytestmark = [pytest.mark.reference, pytest.mark.root]

READERS = {"hash": HashFile, "btree": BtreeFile}
WRITERS = {"hash": write_hash, "btree": write_btree}


def _entries(seed: int, count: int, *, large: int = 40) -> dict[bytes, bytes]:
    """Small entries, some with large keys or with values of up to 64 KB."""
    chance = random.Random(seed)
    entries = {b"key%d-%d\0" % (seed, n): chance.randbytes(chance.randrange(60)) + b"\0" for n in range(count)}
    for n in range(large):
        size = chance.choice([100, 400, 1000, 1023, 1024, 1025, 4000, 4070, 4096, 20000, 65536])
        entries[b"large%d-%d\0" % (seed, n)] = chance.randbytes(size) + b"\0"
        if n % 4 == 0:
            entries[b"k" * size + b"%d-%d\0" % (seed, n)] = b"v\0"
    return entries


def _read(path: Path, kind: str) -> HashFile | BtreeFile:
    data = path.read_bytes()
    return READERS[kind](lambda offset, size: data[offset : offset + size])


def _is(path: Path, kind: str, entries: dict[bytes, bytes]) -> None:
    file = _read(path, kind)
    found = list(file.items())
    assert len(found) == len(entries)
    assert dict(found) == entries
    assert all(file.get(key) == value for key, value in entries.items())
    assert file.get(b"not there\0") is None


@pytest.mark.parametrize("order", [1234, 4321])
@pytest.mark.parametrize("size", [512, 1024, 4096, 16384, 65536])
@pytest.mark.parametrize("kind", ["hash", "btree"])
def test_files_of_the_library(tmp_path: Path, kind: str, size: int, order: int) -> None:
    """Any page size and byte order, also after much was removed and replaced."""
    path = tmp_path / "t.db"
    entries = _entries(1, 1500)
    assert libdb.change(path, kind, entries, page_size=size, order=order) == entries
    _is(path, kind, entries)
    gone = [key for number, key in enumerate(entries) if number % 3 == 0]
    new = _entries(2, 300, large=10) | {key: b"new\0" for number, key in enumerate(entries) if number % 7 == 1}
    entries = {key: value for key, value in (entries | new).items() if key not in set(gone)}
    assert libdb.change(path, kind, new, gone) == entries
    _is(path, kind, entries)


@pytest.mark.parametrize("count", [0, 1, 3, 200, 8000])
@pytest.mark.parametrize("kind", ["hash", "btree"])
def test_our_files_are_changed_by_the_library(tmp_path: Path, kind: str, count: int) -> None:
    """It finds all that is in them, adds until pages and buckets are split, and removes everything again."""
    path = tmp_path / "t.db"
    entries = _entries(3, count, large=min(count, 40))
    path.write_bytes(WRITERS[kind](entries))
    assert libdb.change(path, kind) == entries
    new = _entries(4, 2000)
    gone = [key for number, key in enumerate(entries) if number % 2]
    entries = {key: value for key, value in (entries | new).items() if key not in set(gone)}
    assert libdb.change(path, kind, new, gone) == entries
    _is(path, kind, entries)
    assert libdb.change(path, kind, {}, entries) == {}
    _is(path, kind, {})


@pytest.mark.parametrize("kind", ["hash", "btree"])
def test_random_changes_by_both(both: Both, kind: str) -> None:
    """The same files, changed in turn by the reference's postmap and by ours."""
    chance = random.Random(5)
    both.write("t", "first 1\n")
    both.same("postmap", f"{kind}:t")
    known = {"first": "1"}
    for number in range(8):
        new = {f"k{chance.randrange(400)}": "v" * chance.choice([1, 30, 900, 5000, 65000]) for _ in range(60)}
        gone = chance.sample(sorted(known), len(known) // 3)
        maker, other = ("reference", "pyfix") if number % 2 else ("pyfix", "reference")
        given = "".join(f"{key} {value}\n" for key, value in new.items())
        assert both.run(maker, "postmap", "-ir", f"{kind}:t", given=given, other="pyfix").status == 0
        known |= new
        both.run(other, "postmap", "-d", "-", f"{kind}:t", given="\n".join(gone) + "\n", other="pyfix")
        known = {key: value for key, value in known.items() if key not in gone}
        for side in both.folders:
            listed = both.run(side, "postmap", "-s", f"{kind}:t", other="pyfix").out.splitlines()
            assert sorted(listed) == sorted(f"{key}\t{value}" for key, value in known.items())
    assert libdb.change(both.path("pyfix", "t.db"), kind) == {f"{key}\0".encode(): f"{value}\0".encode() for key, value in known.items()}


@pytest.mark.parametrize("kind", ["hash", "btree", "lmdb", "cdb"])
def test_a_reader_sees_the_old_table_or_the_new_one(both: Both, kind: str) -> None:
    """While ours is made again and again, by either side: never half of it, never an error."""
    both.write("t", "".join(f"k{n} 0\n" for n in range(2000)))
    both.same("postmap", f"{kind}:t")
    name = str(both.path("pyfix", "t"))
    program = str(programs.command_directory("reference") / "postmap")
    keys = [f"k{n}" for n in range(0, 2000, 97)]
    stop = threading.Event()
    problems: list[object] = []

    def ask() -> None:
        table = open_as(f"{kind}:{name}", Opening())
        while not stop.is_set():
            try:
                values = [table.find_now(key) for key in keys]
            except Exception as problem:  # any is one too many
                problems.append(problem)
                return
            if None in values or values != sorted(values, key=lambda value: int(value or 0)):
                problems.append(values)
        table.close()

    def ask_theirs() -> None:
        environment = {"MAIL_CONFIG": str(both.folders["reference"] / "etc")}
        while not stop.is_set():
            done = subprocess.run(
                [program, "-q", "-", f"{kind}:{name}"], env=environment, input="\n".join(keys) + "\n",
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            values = [line.partition("\t")[2] for line in done.stdout.splitlines()]
            if len(values) != len(keys) or values != sorted(values, key=int):
                problems.append((done.stdout, done.stderr))

    # The library has a file open once in a process: what builds an lmdb table closes it for readers of the same process.
    readers = [threading.Thread(target=target) for target in ([ask_theirs] if kind == "lmdb" else [ask, ask_theirs])]
    for reader in readers:
        reader.start()
    for round_number in range(1, 25):
        build_table(kind, name, [(f"k{n}", str(round_number)) for n in range(2000)])
    stop.set()
    for reader in readers:
        reader.join(60)
    assert not problems, problems[0]
