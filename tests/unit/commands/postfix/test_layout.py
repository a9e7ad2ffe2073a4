from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pyfix.commands.postfix.layout import Folder, folders, postdrop_is_set_gid
from pyfix.commands.postfix.system import System as MailSystem
from tests.unit.commands.postfix.conftest import ROOT, System


def found(system: System) -> dict[str, Folder]:
    made = MailSystem.read()
    return {os.path.relpath(folder.path, system.folder): folder for folder in folders(made)}


def test_folders_of_an_instance(system: System) -> None:
    layout = found(system)
    names = list(layout)
    assert names[:2] == ["data", "spool"], "outer ones first"
    assert {"spool/active", "spool/maildrop", "spool/pid", "spool/public", "spool/saved"} <= set(names)
    assert {layout[name].mode for name in ("data", "spool/active", "spool/private")} == {0o700}
    assert layout["spool"].mode == layout["spool/pid"].mode == 0o755


@pytest.mark.root
def test_owners(system: System) -> None:
    layout = found(system)
    assert (layout["spool"].owner, layout["spool/pid"].owner) == (0, 0)
    assert layout["spool/active"].owner == layout["data"].owner == 65534
    assert layout["spool/active"].group is None and layout["spool/maildrop"].group is not None


def test_set_gid_programs(system: System) -> None:
    assert postdrop_is_set_gid(MailSystem.read()) is not ROOT
    assert found(system)["spool/maildrop"].mode == (0o1733 if ROOT else 0o730)
    system.program("postdrop")
    (system.programs / "postdrop").chmod(0o2755)
    assert postdrop_is_set_gid(MailSystem.read())
    assert found(system)["spool/maildrop"].mode == 0o730


def test_making_a_folder(tmp_path: Path) -> None:
    mask = os.umask(0o077)
    try:
        Folder(f"{tmp_path}/a/b/c", 0o1733).make()
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a/b/c").stat().st_mode) == 0o1733
    with pytest.raises(FileExistsError):
        Folder(f"{tmp_path}/a/b/c", 0o700).make()
