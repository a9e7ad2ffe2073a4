import os
import random
from pathlib import Path

import pytest

from pyfix.formats.db.btree import write_btree
from pyfix.formats.db.hash import write_hash
from pyfix.tables.berkeley import BtreeTable, HashTable
from pyfix.tables.build import build_table
from pyfix.tables.table import Opening, TableError


def test_a_file_that_is_written_over_in_place(tmp_path: Path) -> None:
    """Postfix's postmap truncates the file and writes it anew; pages read before and after must not be mixed."""
    name = str(tmp_path / "t")
    build_table("hash", name, [(f"k{n}", "old") for n in range(2000)])
    table = HashTable(name, Opening())
    assert table.find_now("k1") == "old"
    image = write_hash({f"k{n}\0".encode(): b"new\0" for n in range(0, 2000, 2)})
    with open(table.path, "r+b") as stream:
        stream.truncate(0)
        stream.write(image)
    assert table.find_now("k1") is None
    assert {table.find_now(f"k{n}") for n in range(0, 2000, 2)} == {"new"}


def test_a_change_between_two_pages_of_one_lookup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = str(tmp_path / "t")
    build_table("btree", name, [(f"k{n:05}", "old") for n in range(5000)])
    table = BtreeTable(name, Opening())
    image = write_btree({f"k{n:05}\0".encode(): b"new\0" for n in range(5000)})
    reads = []
    pread = os.pread

    def changing(fd: int, size: int, offset: int) -> bytes:
        data = pread(fd, size, offset)
        reads.append(offset)
        if len(reads) == 1:
            Path(table.path).write_bytes(image)
        return data

    monkeypatch.setattr(os, "pread", changing)
    assert table.find_now("k04999") == "new"


def test_a_file_that_never_rests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = str(tmp_path / "t")
    build_table("hash", name, [("k", "v")])
    table = HashTable(name, Opening())
    stamps = iter(range(10**6))
    monkeypatch.setattr("pyfix.tables.berkeley.stamp", lambda state: (next(stamps), 0, 0, True))
    with pytest.raises(TableError, match="the file changes all the time"):
        table.find_now("k")


@pytest.mark.parametrize("kind", ["hash", "btree"])
def test_damage_gives_an_error_or_an_answer_but_no_hang(kind: str, tmp_path: Path) -> None:
    source = random.Random(3)
    name = str(tmp_path / "t")
    keys = [f"key{n}" for n in range(400)]
    build_table(kind, name, [(key, "v" * source.randrange(1, 3000)) for key in keys])
    path = Path(name + ".db")
    whole = path.read_bytes()
    table_class = HashTable if kind == "hash" else BtreeTable
    failed = 0
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(source.randrange(1, 40)):
            # Damage the headers of pages more often than their contents.
            data[
                source.randrange(len(data) // 4096) * 4096
                + source.choice((source.randrange(90), source.randrange(4096)))
            ] = source.randrange(256)
        if source.random() < 0.2:
            del data[source.randrange(len(data)) :]
        path.write_bytes(data)
        try:
            table = table_class(name, Opening(None, 0))
            for key in source.sample(keys, 20):
                table.find_now(key)
            list(table.items())
        except TableError:
            failed += 1
    assert failed > 50
