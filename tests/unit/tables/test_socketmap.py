from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.tables import flags as bits
from pyfix.tables import socketmap
from pyfix.tables.source import open_table
from pyfix.tables.table import TableError
from tests.kit.tableservers import HANG_UP, SILENCE, SocketmapServer, netstring

from .conftest import Notices


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socketmap, "_PAUSE", 0.0)


def test_answers(tmp_path: Path, notices: Notices) -> None:
    answers = {b"a b": netstring(b"OK c d"), b"t": netstring(b"TEMP later"), b"p": netstring(b"PERM "), b"?": netstring(b"WHAT x")}
    with SocketmapServer(answers, path=tmp_path / "s") as server:
        table = open_table(f"socketmap:unix:{tmp_path}/s:name")
        assert table.find_now("a b") == "c d"
        assert table.find_now("none") is None
        for key in ("t", "p", "?"):
            with pytest.raises(TableError, match=r"query error$"):
                table.find_now(key)
        assert server.asked == [b"a b", b"none", b"t", b"p", b"?"]
        assert server.connections == 1
    said = f"warning: socketmap:unix:{tmp_path}/s:name socketmap server "
    assert notices == [f"{said}temporary error: later", f"{said}permanent error", f"{said}unknown error: x"]


@pytest.mark.parametrize(
    ("answer", "reason", "asked"),
    [
        (HANG_UP, "unexpected disconnect", 2),
        (SILENCE, "time limit exceeded", 2),
        (b"x", "input format error", 1),
        (b"100001:", "input exceeds size limit", 1),
    ],
)
def test_a_server_that_fails(
    answer: bytes, reason: str, asked: int, notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socketmap.SocketmapTable, "timeout", 0.1)
    with SocketmapServer({}, answer) as server:
        table = open_table(f"socketmap:inet:127.0.0.1:{server.port}:m")
        with pytest.raises(TableError, match="query error"):
            table.find_now("a")
        assert len(server.asked) == asked
    assert notices == [f"warning: table {table.name} lookup error: {reason}"]


def test_names() -> None:
    for bad in ("x", "inet:127.0.0.1", "inet:127.0.0.1:7", "foo:a:1:m", "unix:x"):
        with pytest.raises(TableError):
            open_table(f"socketmap:{bad}")
    with pytest.raises(TableError, match=r"^socketmap:unix:/x:y map is not allowed for security-sensitive data$"):
        open_table("socketmap:unix:/x:y", flags=bits.ORDINARY | bits.PARANOID)
