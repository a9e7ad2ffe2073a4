from __future__ import annotations

import signal
from collections.abc import Callable

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
