from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.queue.spool import ACTIVE, DEFERRED, INCOMING, Spool


def test_paths() -> None:
    spool = Spool({"deferred"}, 2)
    assert spool.path(ACTIVE, "ABCDEF1234") == "active/ABCDEF1234"
    assert spool.path(DEFERRED, "ABCDEF1234").startswith("deferred/")
    assert spool.path(DEFERRED, "ABCDEF1234").count("/") == 3
    assert spool.is_hashed(DEFERRED) and not spool.is_hashed(ACTIVE) and spool.depth == 2
    assert Spool((), 1, "/var/spool/").path(ACTIVE, "A") == "/var/spool/active/A"
    assert Spool((), 1, "/var/spool").folder(ACTIVE) == "/var/spool/active"


def test_rename_makes_the_folders_that_it_needs(tmp_path: Path) -> None:
    spool = Spool({"deferred"}, 2, str(tmp_path))
    (tmp_path / "active").mkdir()
    (tmp_path / "active" / "ABCDEF1234").write_text("x")
    spool.rename("ABCDEF1234", ACTIVE, DEFERRED)
    assert Path(spool.path(DEFERRED, "ABCDEF1234")).read_text() == "x"
    spool.rename("ABCDEF1234", DEFERRED, ACTIVE)
    assert (tmp_path / "active" / "ABCDEF1234").read_text() == "x"


@pytest.mark.parametrize("target", [INCOMING, DEFERRED])
def test_rename_of_a_file_that_is_not_there(tmp_path: Path, target: str) -> None:
    with pytest.raises(FileNotFoundError):
        Spool({"deferred"}, 1, str(tmp_path)).rename("ABCDEF1234", ACTIVE, target)
    assert list(tmp_path.iterdir()) == []
