from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from pyfix.runtime.masterlock import MasterLock
from tests.unit.commands.postfix.conftest import Run, System, ended_by


def test_status(run: Run, running: Callable[..., int]) -> None:
    assert run("status") == (1, ["postfix/postlog: the Postfix mail system is not running"])
    pid = running()
    assert run("status") == (0, [f"postfix/postlog: the Postfix mail system is running: PID: {pid}"])


def test_reload(system: System, run: Run, running: Callable[..., int]) -> None:
    system.program("postsuper")
    pid = running()
    assert run("reload") == (0, ["postfix/postlog: refreshing the Postfix mail system"])
    assert ended_by(pid) == signal.SIGHUP
    assert system.called()[0] == "postsuper active"


def test_reload_of_a_broken_queue(system: System, run: Run, running: Callable[..., int]) -> None:
    system.program("postsuper", "exit 1")
    running()
    assert run("reload")[0] == 1


@pytest.mark.parametrize("command", ["stop", "abort", "drain", "reload"])
@pytest.mark.parametrize("text", ["", "-1\n", "no number\n"])
def test_a_master_whose_process_id_is_not_known(
    system: System, run: Run, command: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody gets a signal: number 0 or less would reach whole groups of processes."""
    monkeypatch.setattr("pyfix.commands.postfix.system._PAUSE", 0)
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("a signal was sent"))
    (system.spool / "pid").mkdir()
    lock = MasterLock(str(system.spool / "pid/master.pid"))
    (system.spool / "pid/master.pid").write_text(text)
    status, lines = run(command)
    os.close(lock.fd)
    assert (status, lines[-1]) == (
        1,
        "postfix/postlog: fatal: pid/master.pid does not tell the process id of the Postfix mail system",
    )
