from __future__ import annotations

import grp
import os
import stat

import pytest

import pyfix
from tests.unit.commands.postfix.conftest import Run, System


def test_set_permissions(system: System, run: Run) -> None:
    run("check")
    (system.spool / "active").chmod(0o755)
    (system.spool / "pid").chmod(0o700)
    assert run("set-permissions")[0] == 0
    assert stat.S_IMODE((system.spool / "active").stat().st_mode) == 0o700
    assert stat.S_IMODE((system.spool / "pid").stat().st_mode) == 0o755


@pytest.mark.root
def test_owners(system: System, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyfix, "CONFIG_DIRECTORY", str(system.etc))
    run("check")
    stray = system.spool / "deferred/A/ABC123"
    stray.parent.mkdir()
    stray.touch()
    os.chown(system.spool / "active", 1, 1)
    os.chown(system.etc / "main.cf", 1, 1)
    (system.etc / "main.cf").chmod(0o600)
    (system.programs / "postdrop").write_bytes(b"\x7fELF")
    system.program("postqueue")
    assert run("set-permissions")[0] == 0
    assert (system.spool / "active").owner() == stray.owner() == stray.parent.owner() == "nobody"
    assert (system.etc / "main.cf").owner() == "root"
    assert stat.S_IMODE((system.etc / "main.cf").stat().st_mode) == 0o644
    postdrop = (system.programs / "postdrop").stat()
    assert (stat.S_IMODE(postdrop.st_mode), postdrop.st_gid) == (0o2755, grp.getgrnam("mail").gr_gid)
    assert stat.S_IMODE((system.programs / "postqueue").stat().st_mode) == 0o755, "a script can't be set-gid"


def test_folders_that_are_missing(system: System, run: Run) -> None:
    assert run("set-permissions")[0] == 0
    assert (system.spool / "maildrop").is_dir() and system.data.is_dir()


@pytest.mark.root
def test_programs_are_the_business_of_the_built_in_directory(system: System, run: Run) -> None:
    (system.programs / "postdrop").write_bytes(b"\x7fELF")
    mode = (system.programs / "postdrop").stat().st_mode
    assert run("set-permissions")[0] == 0
    assert (system.programs / "postdrop").stat().st_mode == mode
