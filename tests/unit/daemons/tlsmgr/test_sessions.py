from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.daemons.tlsmgr import sessions
from pyfix.daemons.tlsmgr.sessions import SessionCache
from pyfix.tables.indexed import IndexedTable
from pyfix.tables.source import open_table


def cache(reference: str = "lmdb:/nonexistent/x", lifetime: int = 10, *, verbose: bool = False) -> SessionCache:
    return SessionCache("smtpd", reference, lifetime, Snapshot({}), verbose=verbose)


def test_the_last_session_counts_until_it_expires() -> None:
    found = cache()
    found.save("a", b"one", 0)
    found.save("a", b"two", 5)
    assert found.find("a", 15) == b"two" and found.find("b", 5) is None
    assert found.find("a", 16) is None


def test_deleting() -> None:
    found = cache()
    found.save("c", b"x", 20)
    assert found.delete("c") and not found.delete("c") and found.find("c", 21) is None


def test_the_oldest_leave_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_MOST_SESSIONS", 3)
    found = cache()
    for name in "abc":
        found.save(name, b"x", 0)
    found.save("a", b"y", 1)
    found.save("d", b"x", 1)
    assert [name for name in "abcd" if found.find(name, 2) is not None] == ["a", "c", "d"]


@pytest.mark.parametrize("kind", ["lmdb", "btree", "hash"])
def test_the_table(tmp_path: Path, kind: str) -> None:
    reference = f"{kind}:{tmp_path}/sessions"

    def entries() -> list[tuple[str, str]]:
        table = open_table(reference, Snapshot({}), share=False)
        assert isinstance(table, IndexedTable)
        found = sorted(table.items())
        table.close()
        return found

    first = cache(reference)
    first.open()
    for name in ("a&s=smtp", "b", "c"):
        first.save(name, name.encode(), 1000)
    first.delete("b")
    first.write()
    assert entries() == [("a&s=smtp", "E803000000000000" + b"a&s=smtp".hex().upper()), ("c", "E80300000000000063")]
    first.delete("c")
    assert first.changed
    first.write()
    assert len(entries()) == 1 and not first.changed
    first.clean_up(1011)
    first.write()
    assert entries() == []
    first.save("d", b"x", 1)
    first.write()
    cache(reference).open()
    assert entries() == []


def test_what_cannot_be_written(tmp_path: Path, lines: list[str]) -> None:
    found = cache(f"texthash:{tmp_path}/x")
    found.open()
    found.save("a", b"x", 1)
    found.write()
    assert found.find("a", 2) == b"x" and "this table type cannot be written" in lines[0]


def test_what_is_logged(tmp_path: Path, lines: list[str]) -> None:
    found = cache(f"lmdb:{tmp_path}/x", verbose=True)
    found.open()
    found.clean_up(0)
    found.save("a", b"xyz", 7)
    found.find("a", 8)
    found.delete("a")
    assert lines == [
        f"open smtpd TLS cache lmdb:{tmp_path}/x",
        "tlsmgr_cache_run_event: start TLS smtpd session cache cleanup",
        "put smtpd session id=a [data 3 bytes]",
        "write smtpd TLS cache entry a: time=7 [data 3 bytes]",
        "lookup smtpd session id=a",
        "read smtpd TLS cache entry a: time=7 [data 3 bytes]",
        "delete smtpd session id=a",
    ]
