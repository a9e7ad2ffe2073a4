from __future__ import annotations

import pytest

from tests.unit.commands.postfix.conftest import Run, System


def test_environment_of_programs(system: System, run: Run) -> None:
    system.program("master", f"env > {system.folder}/environment")
    system.write(maillog_file="/var/log/nothing")
    (system.etc / "master.cf").write_text("postlog unix-dgram n - n - 1 postlogd\n")
    run("start")
    found = dict(line.split("=", 1) for line in (system.folder / "environment").read_text().splitlines())
    assert found["MAIL_CONFIG"] == str(system.etc)
    assert found["MAIL_LOGTAG"] == "postfix"
    assert found["LANG"] == "C"
    assert found["POSTLOG_SERVICE"] == f"{system.spool}/public/postlog"
    assert found["POSTLOG_HOSTNAME"] == "mail.ours.example"
    assert found["queue_directory"] == str(system.spool)
    assert "HOME" not in found


def test_bad_folders(system: System, run: Run) -> None:
    system.write(daemon_directory="/nowhere/at/all")
    assert run("status") == (1, ["postfix: fatal: chdir(/nowhere/at/all): No such file or directory"])


@pytest.mark.root
def test_a_log_file_in_a_bad_place(system: System, run: Run) -> None:
    system.write(maillog_file="/tmp/log")
    status, lines = run("status")
    assert status == 1
    assert lines[-1] == "postfix: fatal: maillog_file value '/tmp/log' does not match any prefix in maillog_file_prefixes"


def test_a_program_that_is_not_there(system: System, run: Run) -> None:
    assert run("flush") == (
        1, [f"postfix/postlog: fatal: {system.programs}/postqueue: No such file or directory"],
    )  # fmt: skip


@pytest.mark.root
def test_bad_settings(system: System, run: Run) -> None:
    system.write(syslog_facility="local9")
    status, lines = run("status")
    assert status == 1
    assert lines[-1].endswith("parameter syslog_facility: unrecognized value: local9")
