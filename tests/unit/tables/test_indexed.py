"""What holds for each type of indexed file: hash, btree, lmdb, cdb."""

import os
from pathlib import Path

import pytest

from pyfix.tables import flags as bits
from pyfix.tables.build import build_table
from pyfix.tables.indexed import IndexedTable
from pyfix.tables.source import open_table
from pyfix.tables.table import Opening, TableError

KINDS = ["hash", "btree", "lmdb", "cdb"]
ENTRIES = {f"user{n}@example.com": f"box{n}" for n in range(300)}


def opened(kind: str, name: str, flags: int = bits.ORDINARY) -> IndexedTable:
    table = open_table(f"{kind}:{name}", flags=flags, share=False)
    assert isinstance(table, IndexedTable)
    return table


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def name(kind: str, tmp_path: Path) -> str:
    path = str(tmp_path / "t")
    build_table(kind, path, ENTRIES.items())
    return path


def test_lookups(kind: str, name: str) -> None:
    table = opened(kind, name)
    assert table.local and not table.pattern
    for key, value in ENTRIES.items():
        assert table.find_now(key.upper()) == value
    for key in ("user300@example.com", "user1", "", "user1@example.com\0", "x" * 5000):
        assert table.find_now(key) is None
    assert dict(table.items()) == ENTRIES
    table.close()
    table.close()


def test_answers_are_remembered_but_not_for_ever(kind: str, name: str) -> None:
    table = opened(kind, name)
    for number in range(2500):
        table.find_now(f"no{number}")
    assert len(table._answers) <= 2000
    assert table.find_now("user7@example.com") == "box7"


@pytest.mark.parametrize("nul", [bits.TRY0NULL, bits.TRY1NULL])
def test_with_and_without_nul(kind: str, tmp_path: Path, nul: int) -> None:
    """A table opened without a wish finds keys in either form; one with a wish finds only its own."""
    name = str(tmp_path / "t")
    build_table(kind, name, ENTRIES.items(), Opening(None, bits.ORDINARY | nul))
    assert opened(kind, name).find_now("user1@example.com") == "box1"
    assert opened(kind, name, bits.ORDINARY | nul).find_now("user1@example.com") == "box1"
    other = bits.TRY0NULL | bits.TRY1NULL
    assert opened(kind, name, bits.ORDINARY | (other & ~nul)).find_now("user1@example.com") is None


def test_bytes_that_are_not_utf8(kind: str, tmp_path: Path) -> None:
    name = str(tmp_path / "t")
    build_table(kind, name, [("k\udcff", "v\udcfe")], Opening(None, bits.LOCK))
    assert opened(kind, name, bits.LOCK).find_now("k\udcff") == "v\udcfe"


def test_a_replaced_file_is_seen_at_once(kind: str, name: str) -> None:
    table = opened(kind, name)
    assert table.find_now("new") is None
    assert not table.changed()
    build_table(kind, name, [("new", "1")])
    assert table.changed() == (kind != "lmdb"), "an lmdb file is not replaced: nobody has to begin anew"
    assert table.find_now("new") == "1"
    assert table.find_now("user1@example.com") is None
    assert table.changed() == (kind != "lmdb")


def test_a_file_that_is_gone_stays_in_use(kind: str, name: str) -> None:
    table = opened(kind, name)
    os.unlink(table.path)
    assert table.changed() == (kind != "lmdb")
    assert table.find_now("user1@example.com") == "box1"
    assert table.find_now("user2@example.com") == "box2"


def test_changed_where_its_name_does_not_lead(kind: str, name: str) -> None:
    """As in a jail: the file was changed in place, and can't be opened a second time."""
    table = opened(kind, name)
    assert table.find_now("user1@example.com") == "box1"
    other = name + "-other"
    build_table(kind, other, [*ENTRIES.items(), ("new", "1"), ("large", "x" * 100_000)])
    data = Path(other + table.suffix).read_bytes()
    hidden = Path(table.path).rename(name + "-hidden")
    with hidden.open("r+b") as stream:
        stream.write(data)
    if kind == "cdb":
        return  # nobody changes one in place
    assert table.find_now("user1@example.com") == "box1"
    assert table.find_now("new") == "1"
    assert table.find_now("large") == "x" * 100_000
    with hidden.open("r+b") as stream:
        stream.truncate(100)
    for _ in range(2):
        with pytest.raises(TableError):
            table.find_now("user2@example.com")


def test_missing_file(kind: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=f"open database {tmp_path}/none.*: No such file or directory"):
        opened(kind, f"{tmp_path}/none")


def test_what_is_no_table(kind: str, name: str) -> None:
    table = opened(kind, name)
    table.close()
    path = table.path
    for content in (b"", b"garbage", bytes(3000)):
        Path(path).write_bytes(content)
        if kind == "lmdb" and not content:
            continue  # an empty file is an empty LMDB table that was never written
        with pytest.raises(TableError, match="open database"):
            opened(kind, name)


def test_older_than_its_source(kind: str, name: str, notices: list[str]) -> None:
    Path(name).write_text("a b\n")
    path = opened(kind, name).path
    now = os.stat(name).st_mtime
    for source, own, warned in ((-1000, -2000, True), (-50, -2000, False), (-2000, -1000, False)):
        notices.clear()
        os.utime(name, (now + source, now + source))
        os.utime(path, (now + own, now + own))
        opened(kind, name)
        said = [f"warning: database {path} is older than source file {name}", f"to make it anew: postmap {kind}:{name}"]
        assert notices == (said if warned else [])


def test_name_in_messages(kind: str, name: str) -> None:
    """Postfix names the file, but for LMDB the table."""
    table = opened(kind, name)
    assert table.name == (f"lmdb:{name}" if kind == "lmdb" else f"{kind}:{table.path}")
