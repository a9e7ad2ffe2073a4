from __future__ import annotations

import pytest

from pyfix.commands import postfix
from tests.unit.commands.postfix.conftest import Run, System


def test_usage(run: Run, system: System) -> None:
    for words in ((), ("nonsense",), ("a=b",)):
        status, lines = run("post-install", *words)
        assert status == 1
        assert lines[0] == f"{system.programs}/post-install: Error: Usage: {system.programs}/post-install [name=value] command"


def test_several_commands_at_once(run: Run, system: System) -> None:
    (system.spool / "hold").mkdir(mode=0o777)
    assert run("post-install", "create-missing", "set-permissions") == (0, [])
    assert (system.spool / "maildrop").is_dir()
    assert (system.spool / "hold").stat().st_mode & 0o777 == 0o700


def test_settings_come_first(run: Run, system: System) -> None:
    system.program("postconf")
    assert run("set-permissions", "setgid_group=mail") == (0, [])
    assert system.called() == []  # as it is that already
    assert run("set-permissions", "setgid_group=uucp") == (0, [])
    assert len(system.called()) == 1 and "mail_owner = nobody setgid_group = uucp sendmail_path = " in system.called()[0]
    system.program("postconf", "exit 1")
    assert run("upgrade-configuration", "setgid_group=uucp")[0] == 1


def test_reminder(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    assert postfix.main(["post-install", "first-install-reminder"]) == 0
    assert f"parameter settings in {system.etc}/main.cf." in capfd.readouterr().out
