"""nbdb_reindexd of one side in a system of the other: tables that are only there as Berkeley DB files are made anew."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kit.instance import Instance
from tests.kit.processes import wait_until
from tests.kit.reference import reference
from tests.parity.services.asking import ask

pytestmark = [pytest.mark.reference, pytest.mark.root]
MASTER = {"nbdb_reindex": "nbdb_reindex unix y n n - 1 nbdb_reindexd"}


@pytest.fixture
def table() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pyfix-tests-", dir="/var/cache"))
    folder.chmod(0o755)
    (folder / "virtual").write_text("alias@ours.example user@ours.example\n")
    (folder / "virtual.db").touch()
    yield folder / "virtual"
    shutil.rmtree(folder)


def settings(table: Path) -> dict[str, str]:
    return {
        "non_bdb_migration_level": "enable-reindex",
        "default_database_type": "lmdb",
        "default_cache_db_type": "lmdb",
        "non_bdb_migration_allow_root_prefixes": str(table.parent),
        "virtual_alias_maps": f"hash:{table}",
    }


def test_pyfix_daemon_under_the_reference(new_instance: Callable[..., Instance], table: Path) -> None:
    """Real daemons that miss the table have it made by pyfix's, and go on with it."""
    mta = new_instance("reference", main=settings(table), master=MASTER, replace={"nbdb_reindexd": "pyfix"})
    mta.start()
    replies = mta.dialogue("HELO x", "MAIL FROM:<a@x.example>", "RCPT TO:<alias@ours.example>", "DATA", "Subject: x\r\n\r\nx\r\n.", "QUIT")
    assert any(reply.startswith("250 2.0.0 Ok: queued") for reply in replies), (replies, mta.log_lines())
    assert wait_until(lambda: bool(mta.deliveries()), 10)
    assert table.with_name("virtual.lmdb").exists()
    mta.stop()


def test_reference_daemon_under_pyfix(new_instance: Callable[..., Instance], table: Path) -> None:
    """pyfix's master starts the real one; what it makes, pyfix reads."""
    main = {name: value for name, value in settings(table).items() if name != "virtual_alias_maps"}
    theirs = reference().settings()  # where the real one finds the library of the table type
    main |= {name: theirs[name] for name in ("meta_directory", "shlib_directory")}
    mta = new_instance("pyfix", main=main, master=MASTER, replace={"nbdb_reindexd": "reference"})
    mta.start()
    assert ask(mta, "private/nbdb_reindex", [("nbdb_type", "hash"), ("nbdb_path", str(table))])[1] == b"status\0000\0reason\0\0\0"
    assert mta.run("postmap", "-q", "alias@ours.example", f"lmdb:{table}").stdout == b"user@ours.example\n"
    mta.stop()
