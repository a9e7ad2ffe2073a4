from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from pyfix.daemons.nbdb_reindexd import safety
from pyfix.daemons.nbdb_reindexd.safety import Refused, owner_of_table

UID = os.getuid()


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A table whose folders above those of the test are left out of account: the one of temporary files is open to all."""
    stat = os.stat

    def safe_above(path: str | Path) -> os.stat_result:
        found = stat(path)
        return found if str(path).startswith(str(tmp_path)) else os.stat_result((0o40755, *found[1:4], 0, *found[5:]))

    monkeypatch.setattr(safety, "os", SimpleNamespace(stat=safe_above, path=os.path))
    path = tmp_path / "a/table"
    path.parent.mkdir(mode=0o755)
    for name in ("table", "table.db"):
        (path.parent / name).touch(0o644)
    yield path


def owner(table: Path, *prefixes: str) -> tuple[int, int]:
    wanted = prefixes or (str(table.parent.parent),)
    return owner_of_table(str(table), wanted, wanted)


def test_safe_table(table: Path) -> None:
    assert owner(table) == (UID, table.with_name("table.db").stat().st_gid)
    assert owner(table, "/x", f"{table.parent}/") == owner(table)


@pytest.mark.parametrize("name", ["table", "table.db"])
def test_missing_file(table: Path, name: str) -> None:
    table.with_name(name).unlink()
    with pytest.raises(Refused, match=f"{name}': No such file or directory$"):
        owner(table)


def test_other_place(table: Path) -> None:
    for prefix in ("/x", str(table), str(table.parent)[:-1] + "b"):
        with pytest.raises(Refused, match="has an unexpected pathname"):
            owner(table, prefix)
    with pytest.raises(Refused, match="has an unexpected pathname"):
        owner(table.parent / "../a/table")


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_writable_source(table: Path, mode: int) -> None:
    table.chmod(mode)
    with pytest.raises(Refused, match="but source file"):
        owner(table)


def test_writable_folder_and_one_above(table: Path) -> None:
    for folder in (table.parent, table.parent.parent):
        folder.chmod(0o777)
        with pytest.raises(Refused, match=f"but parent directory '{table.parent}' is owned or writable"):
            owner(table)
        folder.chmod(0o755)


@pytest.mark.skipif(UID != 0, reason="needs root")
def test_owners(table: Path) -> None:
    os.chown(table.with_name("table.db"), 65534, 65534)
    assert owner(table) == (65534, 65534)
    with pytest.raises(Refused, match="as non-root, append its parent"):
        owner_of_table(str(table), [str(table.parent)], [])
    os.chown(table, 1, 1)
    with pytest.raises(Refused, match="is owned by uid '65534', but source file"):
        owner(table)
