from __future__ import annotations

import sys
from pathlib import Path

import pytest

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
