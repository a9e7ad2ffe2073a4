from __future__ import annotations

import os
import stat

import pytest

from tests.unit.commands.postfix.conftest import ROOT, Run, System


def test_check_makes_folders(system: System, run: Run) -> None:
    assert run("check")[0] == 0
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in system.spool.iterdir()}
    assert modes["pid"] == 0o755
    assert modes["active"] == modes["private"] == 0o700
    assert modes["maildrop"] == (0o1733 if ROOT else 0o730)
    assert stat.S_IMODE(system.data.stat().st_mode) == 0o700


def test_check_warns(system: System, run: Run) -> None:
    run("check")
    (system.spool / "corrupt" / "0123").touch()
    (system.etc / "main.cf").chmod(0o666)
    _, lines = run("check")
    assert f"postfix/postlog: warning: group or other writable: {system.etc}/./main.cf" in lines
    assert "postfix/postlog: warning: damaged message: corrupt/0123" in lines


@pytest.mark.root
def test_check_warns_of_owners(system: System, run: Run) -> None:
    run("check")
    os.chown(system.spool / "active", 1, 1)
    os.chown(system.spool / "pid", 1, 1)
    os.chown(system.spool / "public", -1, 0)
    (system.programs / "postdrop").write_bytes(b"\x7fELF")
    _, lines = run("check")
    assert f"postfix/postlog: warning: not owned by nobody: {system.spool}/active" in lines
    assert f"postfix/postlog: warning: not owned by root: {system.spool}/pid" in lines
    assert f"postfix/postlog: warning: not owned by group mail: {system.spool}/public" in lines
    postdrop = system.programs / "postdrop"
    assert f"postfix/postlog: warning: not set-gid or not owner+group+world executable: {postdrop}" in lines


@pytest.mark.root
def test_check_without_set_gid_programs(system: System, run: Run) -> None:
    system.program("postdrop")
    system.program("postqueue")
    _, lines = run("check")
    postdrop = system.programs / "postdrop"
    text = f"maildrop is open to all users: {postdrop} is not a set-gid program"
    assert lines == [f"postfix/postlog: warning: {text}"]


def test_missing_log_service(system: System, run: Run) -> None:
    system.write(maillog_file="/var/log/nothing")
    assert run("check")[1][-1] == (
        "postfix/postlog: fatal: missing 'postlog' service in master.cf - run 'postfix upgrade-configuration'"
    )


def test_a_master_cf_that_postconf_refuses(system: System, run: Run) -> None:
    (system.etc / "master.cf").write_text("word\n")
    system.program("postconf", "exit 1")
    assert run("status") == (1, [f"postfix/postlog: fatal: cannot execute {system.programs}/postconf!"])
    assert system.called() == ["postconf -dh config_directory"]


def test_no_master(system: System, run: Run) -> None:
    (system.programs / "master").unlink()
    assert run("status") == (1, [f"postfix/postlog: fatal: no Postfix master program {system.programs}/master!"])


def test_malformed_master_cf(system: System, run: Run) -> None:
    system.write(maillog_file="/var/log/nothing")
    (system.etc / "master.cf").write_text("word\n")
    status, lines = run("check")
    assert status == 1
    assert f"{system.etc}/master.cf" in lines[-1]
