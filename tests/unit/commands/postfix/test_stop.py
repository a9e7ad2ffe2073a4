from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from pyfix.commands.postfix import stop
from tests.unit.commands.postfix.conftest import Run, ended_by


def test_stop(run: Run, running: Callable[..., int]) -> None:
    pid = running()
    assert run("stop") == (0, ["postfix/postlog: stopping the Postfix mail system"])
    assert ended_by(pid) == signal.SIGTERM


def test_forced_stop(run: Run, running: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(stop, "_PATIENCE", 2)
    pid = running(signal.SIG_IGN)
    status, lines = run("stop")
    assert status == 0
    assert lines[1:] == [
        "postfix/postlog: waiting for the Postfix mail system to terminate",
        "postfix/postlog: waiting for the Postfix mail system to terminate",
        "postfix/postlog: warning: stopping the Postfix mail system with force",
    ]
    assert ended_by(pid) == signal.SIGKILL


@pytest.mark.parametrize(
    ("command", "number", "text"),
    [
        ("abort", signal.SIGTERM, "aborting the Postfix mail system"),
        ("drain", signal.SIGKILL, "stopping the Postfix mail system"),
        ("quick-stop", signal.SIGTERM, "stopping the Postfix mail system"),
    ],
)
def test_other_ends(run: Run, running: Callable[..., int], command: str, number: int, text: str) -> None:
    pid = running()
    assert run(command) == (0, [f"postfix/postlog: {text}"])
    assert ended_by(pid) == number
