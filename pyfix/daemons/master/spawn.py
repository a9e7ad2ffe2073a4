"""From a fork of master to a daemon: descriptors, signals, environment, name; then our own code, or another program.

The conversation with the daemon is Postfix's: descriptors 3 and 4 are the flow-control pipe, 5 the status channel, 6
and up the endpoint; GENERATION is in the environment.
"""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from pyfix.daemons.master.loop import MasterLoop
from pyfix.daemons.master.title import TitleArea
from pyfix.runtime.child import FIRST_LISTENER, FLOW_READ, FLOW_WRITE, STATUS
from pyfix.runtime.log import log

_RESET = (
    signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD, signal.SIGALRM, signal.SIGBUS,
    signal.SIGILL, signal.SIGSEGV,
)  # fmt: skip
_COLLECT_AFTER = 20_000
"""Objects that a daemon makes between two runs of the garbage collector; those of before the fork are frozen."""
_FATAL_PAUSE = 1.0
_LAST_DESCRIPTOR = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a new process needs to know."""

    program: str
    argv: list[str]
    module: str | None
    """Module of a daemon of ours, which needs no exec."""
    flow: tuple[int, int]
    status: int
    listeners: Sequence[int]
    generation: int


def spawn(plan: Plan, loop: MasterLoop, title: TitleArea) -> int:
    """Start a process and return its id.  Raises OSError when there can be none.

    Signals wait until the child has given up master's way of handling them: none is lost in between.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _RESET)
    try:
        pid = os.fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        raise
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return pid
    status = 1
    try:
        log.after_fork()
        loop.abandon()
        status = _become(plan, title)
    except BaseException:
        for line in traceback.format_exc().splitlines():
            log.error(line)
    finally:
        os._exit(status)


def _become(plan: Plan, title: TitleArea) -> int:
    for number in _RESET:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    generation = f"{plan.generation:o}"
    _place_descriptors([*plan.flow, plan.status, *plan.listeners], inheritable=plan.module is None)
    if plan.module is None:
        _execute(plan, {**os.environ, "GENERATION": generation})
    os.environ["GENERATION"] = generation
    title.show(plan.argv)
    gc.set_threshold(_COLLECT_AFTER, 20, 50)
    return _run(plan.module, plan.argv)


def _place_descriptors(descriptors: Sequence[int], *, inheritable: bool) -> None:
    """Put *descriptors* to 3 and up, in their order, and close all others but the standard ones."""
    assert (FLOW_READ, FLOW_WRITE, STATUS, FIRST_LISTENER) == (3, 4, 5, 6)
    end = FLOW_READ + len(descriptors)
    out_of_the_way = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, end) for fd in descriptors]
    for target, source in enumerate(out_of_the_way, FLOW_READ):
        os.dup2(source, target, inheritable=inheritable)
    os.closerange(end, _LAST_DESCRIPTOR)


def _execute(plan: Plan, environment: Mapping[str, str]) -> NoReturn:
    try:
        os.execve(plan.program, plan.argv, environment)
    except OSError as error:
        log.fatal(f"master_spawn: exec {plan.program}: {error.strerror}")
        log.finish(_FATAL_PAUSE)
        os._exit(1)


def _run(module: str, argv: Sequence[str]) -> int:
    sys.argv[:] = argv
    try:
        status = sys.modules[module].main(argv[1:])
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else int(leave.code is not None)
    return int(status)
