"""nbdb_reindexd(8) as a daemon sees it that misses a table; that it is Postfix's is in tests/parity/services/test_nbdb_reindexd.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.daemons.nbdb_reindexd import daemon as reindex
from tests.unit.daemons.running import System, running


@pytest.fixture
def place(system: System) -> Path:
    for name, text in (("hash", "a b\n"), ("hash.db", "")):
        (system.folder / name).write_text(text)
    return system.folder / "hash"


def answer(system: System, kind: str, path: Path | str, **main: str) -> tuple[str, str]:
    system.write_main(**{"non_bdb_migration_level": "enable-reindex", "default_database_type": "lmdb", **main})
    with running(reindex.main, system, "nbdb_reindex", "-l") as found:
        client = found.connect()
        client.receive()
        reply = client.ask(("nbdb_type", kind), ("nbdb_path", str(path)))
    assert reply is not None
    return reply[0][1], reply[1][1]


def test_levels_and_types(system: System, place: Path) -> None:
    assert answer(system, "hash", place, non_bdb_migration_level="disable") == ("1", "the nbdb_reindex service is disabled")
    assert answer(system, "lmdb", place) == ("1", "request to map from non-Berkeley-DB type: 'lmdb'")
    assert answer(system, "hash", place, default_database_type="btree") == ("1", "mapping from 'hash' to legacy type 'btree'")
    assert answer(system, "hash", place, default_database_type="x") == ("1", "mapping to unsupported database type: 'x'")
    assert answer(system, "hash", place, default_database_type="texthash")[1].endswith("has no known suffix")
    assert answer(system, "btree", place, non_bdb_custom_mapping="inline:{btree=static}")[1].startswith("non-Berkeley-DB type 'static'")


def test_place(system: System, place: Path) -> None:
    status, reason = answer(system, "hash", place)
    assert status == "1"
    assert "has an unexpected pathname" in reason
    assert "No such file" in answer(system, "hash", "/nowhere")[1]
    assert not os.path.exists(f"{place}.lmdb")
