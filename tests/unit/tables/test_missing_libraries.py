"""Types of tables whose library is not installed: as a type that is not there, and a word about what to install."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from pathlib import Path

import pytest

from pyfix.tables import pcre
from pyfix.tables.build import build_table
from pyfix.tables.source import open_or_unavailable, open_table
from pyfix.tables.table import TableError

from .conftest import Notices, Parameters

REMEDIES = {
    "lmdb": ("lmdb", "pip install lmdb"),
    "sqlite": ("sqlite3", "Python's module sqlite3"),
    "ldap": ("ldap", "pip install 'pyfix[ldap]'"),
    "mysql": ("pymysql", "pip install 'pyfix[mysql]'"),
    "pgsql": ("psycopg", "pip install 'pyfix[pgsql]'"),
    "mongodb": ("pymongo", "pip install 'pyfix[mongodb]'"),
    "pcre": ("", "libpcre2-8"),
}
"""Type -> the module that cannot be imported, and what mends it.  cdb has no library: its files are read by our own code."""


@pytest.fixture(params=REMEDIES)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A type without its library."""
    kind: str = request.param

    def load(name: str | None) -> ctypes.CDLL:
        raise OSError(f"{name}: cannot open shared object file")

    if kind == "pcre":
        monkeypatch.setattr(pcre, "_loaded", [])
        monkeypatch.setattr(ctypes, "CDLL", load)
        monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    else:
        for module in [name for name in sys.modules if name.partition(".")[0] == REMEDIES[kind][0]]:
            monkeypatch.delitem(sys.modules, module)
        if kind == "lmdb":
            monkeypatch.delitem(sys.modules, "pyfix.tables.lmdb", raising=False)
        monkeypatch.setitem(sys.modules, REMEDIES[kind][0], None)
    return kind


def test_opening(kind: str, tmp_path: Path, notices: Notices) -> None:
    (tmp_path / "t").write_text("/x/ y\n" if kind == "pcre" else "dbpath = /nowhere\n")
    with pytest.raises(TableError, match=f"^unsupported dictionary type: {kind}$"):
        open_table(f"{kind}:{tmp_path}/t", share=False)
    assert notices == [f"warning: {kind}: tables need a library that is not installed: {REMEDIES[kind][1]}"]


def test_in_a_daemon(kind: str, tmp_path: Path, notices: Notices) -> None:
    """It starts, and each lookup fails for the time being."""
    (tmp_path / "t").write_text("/x/ y\n")
    table = open_or_unavailable(f"{kind}:{tmp_path}/t", Parameters(daemon_table_open_error_is_fatal="no"))
    assert f"error: unsupported dictionary type: {kind}" in notices
    with pytest.raises(TableError, match=f"{kind}:{tmp_path}/t is unavailable. unsupported dictionary type: {kind}"):
        table.find_now("x")


@pytest.mark.parametrize("kind", ["lmdb"], indirect=True)
def test_making_one(kind: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"^unsupported dictionary type: lmdb$"):
        build_table(kind, str(tmp_path / "t"), [("a", "b")])
    assert not list(tmp_path.iterdir())
