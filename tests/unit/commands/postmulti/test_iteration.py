from __future__ import annotations

import json

import pytest

from pyfix.commands import postmulti
from tests.unit.commands.postmulti.conftest import Host


@pytest.fixture
def several(host: Host) -> Host:
    host.other("postfix-a", multi_instance_enable="yes", multi_instance_group="g")
    host.other("postfix-b", multi_instance_group="g")
    return host


def test_listing(several: Host, capfd: pytest.CaptureFixture[str]) -> None:
    assert postmulti.main(["-lR"]) == 0
    assert [line.split()[:3] for line in capfd.readouterr().out.splitlines()] == [
        ["postfix-b", "g", "n"], ["postfix-a", "g", "y"], ["-", "-", "y"],
    ]  # fmt: skip
    assert postmulti.main(["-lj", "-i", "postfix-a"]) == 0
    assert json.loads(capfd.readouterr().out) == {
        "name": "postfix-a", "group": "g", "enabled": "y", "config_directory": f"{several.folder}/etc/postfix-a",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "called"),
    [
        (["start", "x"], ["/etc/postfix: start x", "/etc/postfix-a: start x", "/etc/postfix-b: check"]),
        (["stop"], ["/etc/postfix-a: stop", "/etc/postfix: stop"]),
        (["reload"], ["/etc/postfix: reload", "/etc/postfix-a: reload"]),
        (["status"], ["/etc/postfix: status", "/etc/postfix-a: status", "/etc/postfix-b: status"]),
    ],
)
def test_commands_of_postfix(several: Host, argv: list[str], called: list[str]) -> None:
    assert postmulti.main(["-p", *argv]) == 0
    assert several.called() == called


def test_nobody_to_run_for(several: Host, capfd: pytest.CaptureFixture[str]) -> None:
    assert postmulti.main(["-i", "postfix-b", "-p", "stop"]) == 1
    assert capfd.readouterr().err == "postmulti: fatal: No matching instances\n"


def test_any_command(several: Host, capfd: pytest.CaptureFixture[str]) -> None:
    show = "echo $multi_instance_name $multi_instance_enable $queue_directory; test -z $multi_instance_name"
    assert postmulti.main(["-x", "/bin/sh", "-c", show]) == 1, "one failed"
    lines = capfd.readouterr().out.replace(str(several.folder), "").splitlines()
    assert lines == ["yes /spool/postfix", "postfix-a yes /spool/postfix-a", "postfix-b no /spool/postfix-b"]
    assert postmulti.main(["-g", "g", "-x", "no-such-program"]) == 1
    assert capfd.readouterr().err == "postmulti: fatal: execvp no-such-program: No such file or directory\n" * 2
