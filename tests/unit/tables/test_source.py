import os
from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.tables import source
from pyfix.tables.build import build_table
from pyfix.tables.source import (
    TABLE_TYPES,
    changed_table,
    forget_tables,
    open_or_unavailable,
    open_table,
    open_tables,
    restart_if_changed,
    table_class,
    with_type,
)
from pyfix.tables.table import TableError


@pytest.mark.parametrize("kind", sorted(TABLE_TYPES))
def test_each_type_has_its_class(kind: str) -> None:
    assert table_class(kind).kind == kind


def test_unknown_type() -> None:
    with pytest.raises(TableError, match="unsupported dictionary type: foo"):
        table_class("foo")


@pytest.mark.parametrize("reference", ["static:", ":x", "nosuch:"])
def test_half_names(reference: str) -> None:
    with pytest.raises(TableError, match='open dictionary: expecting "type:name" form instead of'):
        open_table(reference)


def test_default_type(parameters: type) -> None:
    assert with_type("/x", None) == "hash:/x"
    assert with_type("/x", parameters(default_database_type="lmdb")) == "lmdb:/x"
    assert with_type("cdb:/x", None) == "cdb:/x"


def test_tables_are_shared(parameters: type) -> None:
    snapshot = parameters()
    one = open_table("static:a", snapshot)
    assert open_table("static:a", snapshot) is one
    assert open_table("static:a", snapshot, share=False) is not one
    assert open_table("static:a", snapshot, flags=0) is not one
    assert len(open_tables()) == 2
    forget_tables()
    assert not open_tables()


def test_a_table_that_cannot_be_opened_yet(tmp_path: Path, notices: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lookups fail until it can be opened; at most once a second that is tried."""
    name = str(tmp_path / "t")
    table = open_or_unavailable(f"hash:{name}")
    reason = f"open database {name}.db: No such file or directory"
    assert notices == [f"error: {reason}"]
    notices.clear()
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with pytest.raises(TableError, match="is unavailable"):
        table.find_now("a")
    assert notices == [f"warning: hash:{name} is unavailable. {reason}"]
    build_table("hash", name, [("a", "1")])
    with pytest.raises(TableError):
        table.find_now("a")
    now = 101.5
    assert table.find_now("a") == "1"


def test_a_table_that_cannot_be_opened_may_be_fatal(parameters: type) -> None:
    with pytest.raises(ConfigError, match="unsupported dictionary type: foo"):
        open_or_unavailable("foo:x", parameters(daemon_table_open_error_is_fatal="yes"))
    open_or_unavailable("foo:x", parameters(daemon_table_open_error_is_fatal="no"))


@pytest.mark.parametrize("reference", ["foo", ":x", "static:"])
def test_a_table_without_a_type_is_fatal_to_a_daemon(parameters: type, reference: str) -> None:
    with pytest.raises(ConfigError, match=f'open dictionary: expecting "type:name" form instead of "{reference}"'):
        open_or_unavailable(reference, parameters(daemon_table_open_error_is_fatal="no"))


def test_an_unknown_type_is_warned_of(notices: list[str]) -> None:
    open_or_unavailable("foo:x")
    assert notices == [
        "warning: unsupported dictionary type: foo. Is the postfix-foo package installed?",
        "error: unsupported dictionary type: foo",
    ]


def test_changed_files(tmp_path: Path, notices: list[str]) -> None:
    name = str(tmp_path / "t")
    build_table("hash", name, [("a", "1")])
    open_table(f"hash:{name}")
    open_table("static:x")
    assert changed_table() is None
    assert not restart_if_changed()
    os.utime(f"{name}.db", (1, 1))
    assert changed_table() == f"hash:{name}(0,lock|fold_fix|utf8_request)"
    assert restart_if_changed()
    assert notices == [f"table hash:{name}(0,lock|fold_fix|utf8_request) has changed -- restarting"]


def test_a_module_is_loaded_when_its_type_is_used_first() -> None:
    assert not hasattr(source, "regexp")
