import fcntl
import os
import threading
import time
from pathlib import Path

import pytest

from pyfix.tables import flags as bits
from pyfix.tables.build import TableBuild, build_table, can_build
from pyfix.tables.source import open_table
from pyfix.tables.table import Opening, TableError

WARN = bits.ORDINARY | bits.DUP_WARN
KINDS = ["hash", "btree", "lmdb"]


def content(kind: str, name: str) -> dict[str, str]:
    return dict(open_table(f"{kind}:{name}", share=False).items())  # type: ignore[attr-defined]  # only this type has it


@pytest.mark.parametrize(
    ("policy", "kept", "shown"),
    [
        (bits.DUP_WARN, "1", ['warning: {}: duplicate entry: "a"']),
        (bits.DUP_IGNORE, "1", []),
        (bits.DUP_REPLACE, "2", []),
    ],
)
def test_the_same_key_twice(tmp_path: Path, notices: list[str], policy: int, kept: str, shown: list[str]) -> None:
    name = str(tmp_path / "t")
    for kind, what in (("hash", name + ".db"), ("lmdb", "lmdb:" + name), ("cdb", name)):
        notices.clear()
        build_table(kind, name, [("a", "1"), ("A", "2")], Opening(None, bits.ORDINARY | policy))
        assert content(kind, name) == {"a": kept}
        assert notices == [text.format(what) for text in shown]


def test_the_same_key_twice_without_a_policy(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="duplicate entry"):
        build_table("hash", str(tmp_path / "t"), [("a", "1"), ("a", "2")], Opening())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_adding_and_removing(kind: str, tmp_path: Path) -> None:
    name = str(tmp_path / "t")
    build_table(kind, name, [("a", "1"), ("b", "2")])
    build = TableBuild(kind, name, Opening(None, WARN), keep=True)
    build.put("C", "3")
    assert build.remove("A") and not build.remove("zz")
    build.put_mark("As Is", "4")
    build.finish()
    assert content(kind, name) == {"b": "2", "c": "3", "As Is": "4"}
    build = TableBuild(kind, name, Opening(None, WARN), keep=True)
    build.remove("b")
    build.abandon()
    build.abandon()
    assert "b" in content(kind, name)


def test_removing_keys_without_nul(tmp_path: Path) -> None:
    name = str(tmp_path / "t")
    build_table("hash", name, [("a", "1")], Opening(None, WARN | bits.TRY0NULL))
    build = TableBuild("hash", name, Opening(None, WARN), keep=True)
    assert build.remove("a")
    build.finish()
    assert content("hash", name) == {}


def test_types() -> None:
    assert can_build("hash") and not can_build("texthash")
    with pytest.raises(TableError, match="unsupported map type: texthash"):
        TableBuild("texthash", "/x", Opening(), keep=False)
    with pytest.raises(TableError, match="unsupported non-bulk change request"):
        TableBuild("cdb", "/x", Opening(), keep=True)


def test_failures(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"open database /nonexistent/t\.db: No such file or directory"):
        TableBuild("hash", "/nonexistent/t", Opening(), keep=False)
    with pytest.raises(TableError, match="No such file or directory"):
        TableBuild("hash", str(tmp_path / "t"), Opening(), keep=True, create=False)
    assert not list(tmp_path.iterdir())
    (tmp_path / "t.db").write_bytes(b"garbage")
    for kind in ("hash", "btree"):
        with pytest.raises(TableError, match="Invalid argument"):
            TableBuild(kind, str(tmp_path / "t"), Opening(), keep=True)
    assert (tmp_path / "t.db").read_bytes() == b"garbage"
    assert len(list(tmp_path.iterdir())) == 1


def test_readers_see_the_old_table_until_the_new_one_is_whole(tmp_path: Path) -> None:
    name = str(tmp_path / "t")
    build_table("hash", name, [("a", "1")])
    (tmp_path / "t.db").chmod(0o640)
    build = TableBuild("hash", name, Opening(None, WARN), keep=False)
    build.put("a", "2")
    before = os.stat(name + ".db").st_ino
    reading = open(name + ".db", "rb")  # noqa: SIM115  # it stays open over the change
    build.finish()
    after = os.stat(name + ".db")
    assert after.st_ino != before
    assert after.st_mode & 0o777 == 0o640, "the new file has the mode of the old one"
    assert b"\x011\0" in reading.read()
    reading.close()
    assert content("hash", name) == {"a": "2"}
    assert [path.name for path in tmp_path.iterdir()] == ["t.db"]


def test_where_no_file_can_be_made_the_old_one_is_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = str(tmp_path / "t")
    build_table("hash", name, [("a", "1")])
    inode = os.stat(name + ".db").st_ino
    real = os.open

    def refusing(path: str, flags: int, mode: int = 0o777) -> int:
        if path.endswith(".tmp"):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing)
    build_table("hash", name, [("b", "2")])
    assert os.stat(name + ".db").st_ino == inode
    assert content("hash", name) == {"b": "2"}
    with pytest.raises(TableError, match=f"open database {tmp_path}/new.db: Permission denied"):
        build_table("hash", str(tmp_path / "new"), [])


def test_two_builds_one_after_the_other(tmp_path: Path) -> None:
    name = str(tmp_path / "t")
    first = TableBuild("hash", name, Opening(None, WARN), keep=True)
    done: list[str] = []

    def second() -> None:
        build = TableBuild("hash", name, Opening(None, WARN), keep=True)
        build.put("b", "2")
        build.finish()
        done.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    time.sleep(0.05)
    assert not done
    first.put("a", "1")
    first.finish()
    thread.join(5)
    assert content("hash", name) == {"a": "1", "b": "2"}


def test_what_others_do_to_an_lmdb_file_meanwhile_stays(tmp_path: Path) -> None:
    """The library changes the file in place: only what was asked for is written."""
    name = str(tmp_path / "t")
    build_table("lmdb", name, [("a", "1"), ("b", "2"), ("c", "3")])
    first, second = (TableBuild("lmdb", name, Opening(None, bits.ORDINARY | bits.DUP_REPLACE), keep=True) for _ in range(2))
    second.remove("a")
    second.put("b", "other")
    second.finish()
    first.put("d", "4")
    first.put("e", "5")
    first.remove("e")
    first.put("c", "9")
    first.put_mark("Mark", "x")
    first.finish()
    assert content("lmdb", name) == {"b": "other", "c": "9", "d": "4", "Mark": "x"}


def test_a_locked_file_is_waited_for(tmp_path: Path) -> None:
    """Postfix's postmap holds an exclusive lock while it writes in place."""
    name = str(tmp_path / "t")
    build_table("hash", name, [("a", "1")])
    with open(name + ".db", "r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        thread = threading.Thread(target=build_table, args=("hash", name, [("b", "2")]))
        thread.start()
        time.sleep(0.05)
        assert thread.is_alive()
        fcntl.flock(stream, fcntl.LOCK_UN)
        thread.join(5)
    assert content("hash", name) == {"b": "2"}


@pytest.mark.parametrize("kind", ["hash", "btree", "lmdb", "cdb"])
def test_all_at_once(tmp_path: Path, kind: str) -> None:
    name = str(tmp_path / "t")
    build = TableBuild(kind, name, Opening(None, WARN), keep=False)
    end = build.nul
    twice = [b"a" + end, b"b" + end, b"a" + end], [b"1" + end, b"2" + end, b"3" + end]
    assert not (build.put_all(*twice) and build.finish())
    assert build.put_all([b"a" + end, b"b" + end], [b"1" + end, b"2" + end])
    assert build.finish()
    assert content(kind, name) == {"a": "1", "b": "2"}


def test_a_file_that_cannot_be_given_away_is_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = str(tmp_path / "t")
    build_table("hash", name, [("a", "1")])
    inode = os.stat(name + ".db").st_ino

    def refuses(fd: int, uid: int, gid: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuses)
    build = TableBuild("hash", name, Opening(None, WARN), keep=False)
    real = os.fstat

    def of_another(fd: int) -> os.stat_result:
        state = real(fd)
        return os.stat_result([*state[:4], 4711, *state[5:10]]) if state.st_ino == inode else state

    monkeypatch.setattr(os, "fstat", of_another)
    build.put("b", "2")
    build.finish()
    monkeypatch.undo()
    assert os.stat(name + ".db").st_ino == inode
    assert content("hash", name) == {"b": "2"}
    assert [path.name for path in tmp_path.iterdir()] == ["t.db"]
