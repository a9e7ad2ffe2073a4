import os
import subprocess
import sys
from pathlib import Path

import lmdb
import pytest

from pyfix.tables import flags as bits
from pyfix.tables.lmdb import LmdbTable, _readers, read_lmdb, write_lmdb
from pyfix.tables.table import Opening, TableError


def test_the_file_grows_past_its_map_size(tmp_path: Path) -> None:
    path = str(tmp_path / "t.lmdb")
    entries = {f"k{n}".encode(): b"v" * 2000 for n in range(500)}
    write_lmdb(path, entries.keys(), entries.values(), 65536, replace=True)
    assert dict(read_lmdb(path)) == entries
    table = LmdbTable(str(tmp_path / "t"), Opening())
    assert table.find_now("k499") == "v" * 2000


def test_adding_replacing_removing(tmp_path: Path) -> None:
    path = str(tmp_path / "t.lmdb")
    write_lmdb(path, [b"a", b"b"], [b"1", b"2"], 1 << 20, replace=True)
    write_lmdb(path, [b"c", b"b"], [b"3", b"9"], 1 << 20, replace=False, remove=[b"a"])
    assert read_lmdb(path) == [(b"b", b"9"), (b"c", b"3")]
    write_lmdb(path, [b"d"], [b"4"], 1 << 20, replace=True)
    assert read_lmdb(path) == [(b"d", b"4")]
    assert list(tmp_path.iterdir()) == [tmp_path / "t.lmdb"], "no lock file"


def test_another_program_changes_the_file(tmp_path: Path) -> None:
    name = str(tmp_path / "t")
    write_lmdb(name + ".lmdb", [b"a\0"], [b"1\0"], 1 << 20, replace=True)
    table = LmdbTable(name, Opening())
    assert table.find_now("a") == "1"
    write_lmdb(name + ".lmdb", [b"a\0"], [b"x" * 100000 + b"\0"], 1 << 24, replace=False)
    assert table.find_now("a") == "x" * 100000


def test_a_file_that_outgrows_the_map(tmp_path: Path) -> None:
    """Of the reader: he takes the size that the writer had."""
    name = str(tmp_path / "t")
    write_lmdb(name + ".lmdb", [b"a\0"], [b"1\0"], 65536, replace=True)
    table = LmdbTable(name, Opening())
    assert table._reader is not None
    small = table._reader.environment().info()["map_size"]
    program = "import sys; from pyfix.tables.lmdb import write_lmdb; write_lmdb(sys.argv[1], [b'a\\0', b'b\\0'], [b'2\\0', b'x' * 40000000], 1 << 20, replace=True)"
    subprocess.run([sys.executable, "-c", program, name + ".lmdb"], check=True, cwd=Path(__file__).parents[3])
    assert os.path.getsize(name + ".lmdb") > small
    assert table.find_now("a") == "2"
    assert table.find_now("b") == "x" * 40000000
    assert not table.changed()


def test_failures(tmp_path: Path) -> None:
    (tmp_path / "t.lmdb").write_bytes(b"no table" * 1000)
    with pytest.raises(TableError, match="MDB_INVALID"):
        read_lmdb(str(tmp_path / "t.lmdb"))
    with pytest.raises(TableError, match="error writing"):
        write_lmdb(str(tmp_path / "t.lmdb"), [], [], 1 << 20, replace=True)
    with pytest.raises(TableError, match="open database /nonexistent/t: No such file or directory"):
        write_lmdb("/nonexistent/t", [], [], 1 << 20, replace=True)
    with pytest.raises(TableError, match="MDB_BAD_VALSIZE"):
        write_lmdb(str(tmp_path / "u.lmdb"), [b"k" * 600], [b""], 1 << 20, replace=True)
    assert lmdb.version() >= (0, 9)


def test_a_closed_table(tmp_path: Path) -> None:
    name = str(tmp_path / "t")
    write_lmdb(name + ".lmdb", [b"a\0"], [b"1\0"], 1 << 20, replace=True)
    one, two = (LmdbTable(name, Opening(None, flags)) for flags in (bits.ORDINARY, bits.LOCK))
    assert one.find_now("a") == two.find_now("a") == "1"
    one.close()
    assert two.find_now("b") is None
    two.close()
    assert name + ".lmdb" not in _readers
    with pytest.raises(TableError, match="not open"):
        one._get(b"a")
    with pytest.raises(TableError, match="not open"):
        list(one._pairs())
