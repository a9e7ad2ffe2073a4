from __future__ import annotations

import grp
import os
import stat

import pytest

from tests.unit.commands.postfix.conftest import Run, System


def test_set_permissions(system: System, run: Run) -> None:
    run("check")
    (system.spool / "active").chmod(0o755)
    (system.spool / "pid").chmod(0o700)
    assert run("set-permissions")[0] == 0
    assert stat.S_IMODE((system.spool / "active").stat().st_mode) == 0o700
    assert stat.S_IMODE((system.spool / "pid").stat().st_mode) == 0o755
    assert run("set-permissions", "mail_owner=x")[0] == 1


@pytest.mark.root
def test_owners(system: System, run: Run) -> None:
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


def test_settings_are_refused(run: Run) -> None:
    assert run("set-permissions", "mail_owner=x") == (
        1, ["postfix/postlog: fatal: set-permissions: change main.cf with postconf -e first"],
    )  # fmt: skip
