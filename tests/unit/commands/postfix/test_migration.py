from __future__ import annotations

import pytest

from pyfix.commands import postfix
from tests.unit.commands.postfix.conftest import Run, System


def test_status(system: System, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert postfix.main(["non-bdb", "status"]) == 0
    assert capfd.readouterr().out == "disable\n"
    system.write(non_bdb_migration_level="x")
    assert run("non-bdb", "status") == (1, ["postfix: fatal: invalid non-Berkeley-DB migration level: 'x'"])


def test_usage(run: Run) -> None:
    line = "postfix/postlog: fatal: usage: postfix non-bdb status (or enable-redirect, or enable-reindex, or disable)"
    for words in ((), ("x",), ("status", "x")):
        assert run("non-bdb", *words) == (1, [line])


def test_changing(system: System, run: Run) -> None:
    assert run("non-bdb", "enable-redirect") == (
        1, ["postfix/postlog: fatal: parameter default_database_type specifies a Berkeley DB type: 'hash'"],
    )  # fmt: skip
    system.write(default_database_type="lmdb", default_cache_db_type="lmdb")
    system.program("postconf")
    for level in ("enable-redirect", "enable-reindex", "disable"):
        assert run("non-bdb", level) == (0, [])
    assert system.called() == [
        "postconf -e non_bdb_migration_level=enable-redirect", "postconf -MX nbdb_reindex/unix",
        "postconf -e non_bdb_migration_level=enable-reindex",
        "postconf -Me nbdb_reindex/unix=nbdb_reindex unix y n n - 1 nbdb_reindexd",
        "postconf -X non_bdb_migration_level", "postconf -MX nbdb_reindex/unix",
    ]  # fmt: skip


def test_tables_of_commands(system: System, run: Run) -> None:
    system.write(
        default_database_type="lmdb",
        default_cache_db_type="cdb",
        authorized_flush_users="static:all, hash:/a, !hash:/b",
        local_login_sender_maps="btree:/c",
    )
    for name in ("postmap", "postconf"):
        system.program(name)
    assert run("non-bdb", "enable-reindex") == (
        0, [f"postfix/postlog: Proactively reindexing {table}" for table in ("hash:/a", "btree:/c")],
    )  # fmt: skip
    assert system.called()[:2] == ["postmap lmdb:/a", "postmap cdb:/c"]
    assert len(system.called()) == 4
    system.program("postmap", "exit 1")
    assert run("non-bdb", "enable-reindex")[0] == 1
    assert len(system.called()) == 5
