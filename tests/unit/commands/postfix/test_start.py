from __future__ import annotations

import os
from collections.abc import Callable

from tests.unit.commands.postfix.conftest import Run, System


def test_start(system: System, run: Run, running: Callable[..., int]) -> None:
    system.program("master")
    system.program("postsuper")
    status, lines = run("-v", "-D", "start")
    assert status == 0
    assert "postfix/postlog: starting the Postfix mail system" in lines
    assert system.called() == ["postsuper", "master -w"]
    assert os.environ["MAIL_VERBOSE"] == "1"
    running()
    assert run("start") == (1, ["postfix/postlog: fatal: the Postfix mail system is already running"])


def test_failing_start(system: System, run: Run) -> None:
    system.program("master", "exit 1")
    status, lines = run("start")
    assert status == 1
    assert "postfix/postlog: fatal: mail system startup failed" in lines


def test_failing_check(system: System, run: Run) -> None:
    system.program("master")
    (system.etc / "master.cf").unlink()
    assert run("start") == (
        1,
        [
            f"postfix/postlog: fatal: no {system.etc}/master.cf file found",
            "postfix/postlog: fatal: Postfix integrity check failed!",
        ],
    )
    assert system.called() == []
