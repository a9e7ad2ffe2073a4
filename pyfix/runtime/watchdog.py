"""The watchdog: a process whose loop does not turn any more is ended, for master(8) to start another one.

Source: postconf(5) daemon_timeout.
"""

from __future__ import annotations

import os
import signal
from typing import Final

from pyfix.runtime.log import log
from pyfix.runtime.loop import Loop

_STEPS: Final = 3
"""Times that the clock must run out.  One of them may come when the whole process, or machine, stood still."""
_GRACE: Final = 10


class Watchdog:
    """Ends the process unless its loop turns within so many seconds."""

    def __init__(self, seconds: int, loop: Loop) -> None:
        self._seconds = seconds
        self._loop = loop
        self._step = seconds / _STEPS
        self._steps = 0

    def start(self) -> None:
        """Arm the watchdog and keep it fed by the loop."""
        signal.signal(signal.SIGALRM, self._bite)
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
        self._feed()

    def _feed(self) -> None:
        self._steps = 0
        signal.setitimer(signal.ITIMER_REAL, self._step)
        # The handler of a signal runs between two steps of Python code.  What never comes back from a library, an
        # expression that a message made explode, is ended by the kernel for the processor time it took.
        signal.setitimer(signal.ITIMER_VIRTUAL, self._seconds + _GRACE)
        self._loop.later(self._step, self._feed)

    def _bite(self, _signal: int, _frame: object) -> None:
        self._steps += 1
        if self._steps < _STEPS:
            signal.setitimer(signal.ITIMER_REAL, self._step)
            return
        log.fatal("watchdog timeout")
        log.finish()
        os._exit(1)
