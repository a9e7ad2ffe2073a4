from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from pyfix.tables import pgsql
from pyfix.tables.source import open_table
from pyfix.tables.table import TableError

from .conftest import Notices


def reference(tmp_path: Path, text: str) -> str:
    (tmp_path / "t.cf").write_text(text)
    return f"pgsql:{tmp_path}/t.cf"


def test_without_the_library(tmp_path: Path, notices: Notices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(TableError, match=r"^unsupported dictionary type: pgsql$"):
        open_table(reference(tmp_path, ""))
    assert "pip install 'pyfix[pgsql]'" in notices[0]


def test_a_server_that_is_down(tmp_path: Path, notices: Notices) -> None:
    pytest.importorskip("psycopg")
    table = open_table(reference(tmp_path, "hosts = 127.0.0.1:1\ndbname = x\nquery = SELECT '%s'\n"))
    assert not table.local
    with pytest.raises(TableError, match="query error"):
        table.find_now("a")
    assert len(notices) == 2 and notices[0].startswith("warning: connect to pgsql server 127.0.0.1:1: ")


def test_settings(tmp_path: Path, notices: Notices) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(TableError, match="host target 'a' requires dbname setting"):
        open_table(reference(tmp_path, "hosts = a:1\nquery = x\n"))
    with pytest.raises(TableError, match="bad string length 0 < 1: table = "):
        open_table(reference(tmp_path, "hosts = a:1\ndbname = x\n"))
    open_table(reference(tmp_path, "hosts = postgres://x/y\ndbname = x\nselect_function = f\n"), share=False)
    assert notices == []


@pytest.mark.parametrize("server", ["127.0.0.1:{port}", "postgresql://x:y@127.0.0.1:{port}/z?connect_timeout=2"])
def test_a_server_that_says_nothing(tmp_path: Path, notices: Notices, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    """It is waited for no longer than the limit, and no other thread of the process waits with it."""
    pytest.importorskip("psycopg")
    monkeypatch.setattr(pgsql, "_CONNECT_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        table = open_table(reference(tmp_path, f"hosts = {server.format(port=listener.getsockname()[1])}\ndbname = x\nquery = SELECT '%s'\n"))
        problems: list[TableError] = []

        def ask() -> None:
            with pytest.raises(TableError, match="query error") as caught:
                table.find_now("a")
            problems.append(caught.value)

        thread = threading.Thread(target=ask)
        begin = time.monotonic()
        thread.start()
        longest = 0.0
        while thread.is_alive():
            before = time.monotonic()
            time.sleep(0.01)
            longest = max(longest, time.monotonic() - before)
        thread.join()
    assert problems and 2 <= time.monotonic() - begin < 30
    assert longest < 1.5, "this thread went on"
    assert any("timeout expired" in notice for notice in notices), notices
