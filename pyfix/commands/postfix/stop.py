"""Ending the mail system: stop, abort, drain."""

from __future__ import annotations

import os
import signal
import time

from pyfix.commands.postfix.system import Failure, System

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_PATIENCE = 5
"""Seconds that master and its processes have before they are killed."""
_FIRST_LOOKS = (0.01, 0.02, 0.04, 0.08, 0.15)
"""Pauses in seconds before anybody is told that we wait."""


QUICK_START = "quick-start"
"""A file in the queue that spares the next start its checks: the mail system was ended in good order."""


def stop(system: System, _words: Sequence[str]) -> int:
    """End the mail system and wait until it has ended, by force after five seconds.  Raises Failure."""
    pid = system.need_running()
    system.info("stopping the Postfix mail system")
    _signal(pid, signal.SIGTERM)
    for pause in _FIRST_LOOKS:
        time.sleep(pause)
        if system.running() is None:
            return 0
    for _ in range(_PATIENCE):
        system.info("waiting for the Postfix mail system to terminate")
        time.sleep(1)
        if system.running() is None:
            return 0
    system.warning("stopping the Postfix mail system with force")
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        _signal(pid, signal.SIGKILL)  # a master that leads no group: PID 1, or under a debugger
    return 0


def stop_quickly(system: System, _words: Sequence[str]) -> int:
    """End the mail system without waiting for it, as the system's shutdown does; return 0 also when nothing runs."""
    try:
        pid = system.need_running()
        system.info("stopping the Postfix mail system")
        _signal(pid, signal.SIGTERM)
    except Failure:
        pass
    try:
        os.close(os.open(QUICK_START, os.O_WRONLY | os.O_CREAT, 0o644))
    except OSError:
        return 1
    return 0


def abort(system: System, _words: Sequence[str]) -> int:
    """End the mail system at once.  Raises Failure."""
    pid = system.need_running()
    system.info("aborting the Postfix mail system")
    _signal(pid, signal.SIGTERM)
    return 0


def drain(system: System, _words: Sequence[str]) -> int:
    """End master only; the other processes finish what they do, and go.  Raises Failure."""
    pid = system.need_running()
    system.info("stopping the Postfix mail system")
    _signal(pid, signal.SIGKILL)
    return 0


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it has just gone by itself
