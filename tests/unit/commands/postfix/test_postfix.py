"""postfix(1) as a whole: which command leads where."""

from __future__ import annotations

import os

import pytest

from pyfix.commands import postfix
from pyfix.commands.postfix import COMMANDS
from tests.unit.commands.postfix.conftest import ROOT, Run, System, executed


def test_every_command_is_there() -> None:
    import importlib

    for module, function in COMMANDS.values():
        assert callable(getattr(importlib.import_module(f"pyfix.commands.postfix.{module}"), function))


@pytest.mark.parametrize("command", ["stop", "abort", "drain", "reload"])
def test_nothing_runs(run: Run, command: str) -> None:
    assert run(command) == (1, ["postfix/postlog: fatal: the Postfix mail system is not running"])


def test_usage(run: Run) -> None:
    usage = "postfix: fatal: usage: postfix [-c config_dir] [-Dv] command"
    assert run("-x") == (1, ["postfix: invalid option -- 'x'", usage])
    assert run("-c", "relative", "status") == (1, ["postfix: fatal: -c requires absolute pathname"])
    assert run("-c", "/nowhere", "status") == (
        1,
        ["postfix: fatal: open /nowhere/main.cf: No such file or directory"]
        if ROOT
        else [
            "postfix: error: to submit mail, use the Postfix sendmail command",
            "postfix: fatal: the postfix command is reserved for the superuser",
        ],
    )


def test_unknown_command(run: Run) -> None:
    status, (line,) = run("nonsense")
    assert status == 1
    assert line.startswith("postfix/postlog: fatal: unknown command: 'nonsense'. Usage: postfix start (or stop, ")


def test_several_instances(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wrapper runs unless -c or MAIL_CONFIG choose one instance."""
    import pyfix

    system.program("wrapper", "exit 7")
    system.write(multi_instance_directories="/etc/other", multi_instance_wrapper=f"{system.programs}/wrapper -p --")
    monkeypatch.setattr(pyfix, "CONFIG_DIRECTORY", str(system.etc))
    assert executed(lambda: postfix.main(["-c", str(system.etc), "status"])) == 99
    monkeypatch.delenv("MAIL_CONFIG")
    assert executed(lambda: postfix.main(["status", "x"])) == 7
    assert system.called() == ["wrapper -p -- status x"]


@pytest.mark.root
def test_an_ordinary_user(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the user to whom the spool belongs may go on without root."""
    for path in (system.folder, *system.folder.parents[:-2]):
        path.chmod(path.stat().st_mode | 0o055)
    said = system.folder / "said"

    def as_nobody() -> None:
        with said.open("w") as stream:
            monkeypatch.setattr("sys.stderr", stream)
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            status = postfix.main(["status"])
        os._exit(status)

    assert executed(as_nobody) == 1
    assert "reserved for the superuser" in said.read_text()
    os.chown(system.spool, 65534, 65534)
    assert executed(as_nobody) == 1
    assert "is not running" in said.read_text()


def test_becoming_another_program(system: System) -> None:
    system.program("postqueue", "exit 5")
    system.program("master", "exit 6")
    assert executed(lambda: postfix.main(["flush"])) == 5
    assert executed(lambda: postfix.main(["start-fg"])) == 6
    assert executed(lambda: postfix.main([str(system.programs / "postqueue"), "word"])) == 5
    assert system.called() == ["postqueue -f", "master -s", "postqueue word"]
