from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.tables import flags as bits
from pyfix.tables.source import open_table
from pyfix.tables.table import Table, TableError
from tests.kit.tableservers import HANG_UP, TableServer
from tests.unit.runtime.forked import on_loop

from .conftest import Notices


class Lines(TableServer):
    """Answers each line by its own text."""

    def request(self, buffer: bytes) -> tuple[bytes, bytes] | None:
        line, newline, rest = buffer.partition(b"\r\n")
        return (line, rest) if newline else None


ANSWERS = {
    b"get k": b"VALUE k 0 2\r\nab\r\nEND\r\n", b"get h": HANG_UP, b"get x": b"ERROR\r\n", b"delete k": b"DELETED\r\n",
    b"delete n": b"NOT_FOUND\r\n", b"set k 0 3600 3": b"", b"new": b"STORED\r\n", b"set b 0 3600 2": b"", b"vb": b"STORED\r\n",
}  # fmt: skip


def table(tmp_path: Path, port: int, text: str = "max_try = 1\n") -> Table:
    (tmp_path / "t.cf").write_text(f"memcache = inet:127.0.0.1:{port}\n{text}")
    return open_table(f"memcache:{tmp_path}/t.cf", share=False)


def test_lookups_and_changes(tmp_path: Path, notices: Notices) -> None:
    with Lines(ANSWERS, b"END\r\n") as server:
        asked = table(tmp_path, server.port)
        assert asked.find_now("K") == "ab"
        assert [asked.find_now(key) for key in ("none", "a b", "")] == [None, None, None]
        for key in ("h", "x"):
            with pytest.raises(TableError, match=r"query error$"):
                asked.find_now(key)
        asked.store("k", "new")  # type: ignore[attr-defined]  # only this type has it
        asked.store("a b", "x")  # type: ignore[attr-defined]  # only this type has it
        assert asked.remove("k") and not asked.remove("n")  # type: ignore[attr-defined]  # only this type has it
        assert list(asked.items()) == []  # type: ignore[attr-defined]  # only this type has it
        assert server.asked[-4:] == [b"set k 0 3600 3", b"new", b"delete k", b"delete n"]
    assert notices == [
        f'warning: {tmp_path}/t.cf: skipping update for name "a b": name contains space',
        f"warning: database memcache:{tmp_path}/t.cf: first/next support requires backup database",
    ]


def test_the_table_behind_it(tmp_path: Path) -> None:
    """It answers when the server has nothing, or is gone, and the server is told."""
    backup = "max_try = 1\nbackup = inline:{b=vb}\n"
    with Lines(ANSWERS, b"END\r\n") as server:
        asked = table(tmp_path, server.port, backup)
        assert [asked.find_now(key) for key in ("b", "k", "none")] == ["vb", "ab", None]
        assert server.asked[1:3] == [b"set b 0 3600 2", b"vb"]
    assert table(tmp_path, 1, backup).find_now("b") == "vb"


def test_in_the_event_loop(tmp_path: Path) -> None:
    with Lines(ANSWERS, b"END\r\n") as server:

        async def test() -> list[object]:
            asked = table(tmp_path, server.port)
            return [await asked.find("k"), await asked.find("none")]

        assert on_loop(test) == ["ab", None]


def test_nobody_there(tmp_path: Path, notices: Notices) -> None:
    with pytest.raises(TableError, match="query error: Connection refused"):
        table(tmp_path, 1).find_now("k")
    assert notices == ["warning: connect to 127.0.0.1:1: Connection refused"]


def test_settings(tmp_path: Path) -> None:
    for bad in ("key_format = %z\n", "key_digest = nosuch\n", "max_try = 0\n", "backup = nosuch:x\n", "ttl = x\n"):
        with pytest.raises(TableError):
            table(tmp_path, 1, bad)
    with pytest.raises(TableError, match="not allowed for security-sensitive data"):
        open_table(f"memcache:{tmp_path}/t.cf", flags=bits.ORDINARY | bits.PARANOID, share=False)
