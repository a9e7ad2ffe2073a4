"""Commands to a mail system that runs: status, reload, flush."""

from __future__ import annotations

import os
import signal

from pyfix.commands.postfix.system import System

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence


def status(system: System, _words: Sequence[str]) -> int:
    """Say whether the mail system runs; return 0 if it does, else 1."""
    pid = system.running()
    if pid is None:
        system.info("the Postfix mail system is not running")
        return 1
    system.info(f"the Postfix mail system is running: PID: {pid}")
    return 0


def reload(system: System, _words: Sequence[str]) -> int:
    """Make all daemons read their configuration again.  Raises Failure when nothing runs."""
    system.tell_unused()
    pid = system.need_running()
    system.info("refreshing the Postfix mail system")
    check_queue = system.command("postsuper")
    if os.path.exists(check_queue) and system.run(check_queue, "active") != 0:
        return 1
    os.kill(pid, signal.SIGHUP)
    if os.path.exists(check_queue):
        os.spawnve(os.P_NOWAIT, check_queue, [check_queue], system.environment)
    return 0


def flush(system: System, _words: Sequence[str]) -> int:
    """Ask for the delivery of all mail that waits.  Becomes postqueue(1), and has its exit status."""
    return system.execute([system.command("postqueue"), "-f"])
