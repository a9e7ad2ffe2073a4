"""Coverage in a program that a test starts by exec, when the test run itself measures coverage.

What tests fork is measured as their own process is, and saved by the patch of os._exit in pyproject.toml.  A program of
its own has to begin to measure by itself; it does so in the line that starts it, as no environment reaches it.

Whole mail systems are not measured: their daemons end by SIGTERM, often amid work, and with rights that cannot write
here; to let them save first would change what those tests are about, and slow each process by a tenth of a second.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
_FATAL = (signal.SIGTERM, signal.SIGINT)


def prelude() -> str:
    """Return the statements that let a program with the checkout on its path measure itself; none without coverage."""
    try:
        import coverage
    except ImportError:
        return ""
    return "from tests.kit.measured import begin; begin(); " if coverage.Coverage.current() is not None else ""


def begin() -> None:
    """Measure this process and those that it forks."""
    import coverage

    measuring = coverage.Coverage(data_file=str(_CHECKOUT / ".coverage"), config_file=str(_CHECKOUT / "pyproject.toml"))
    measuring.start()
    kill = os.kill

    def save_and_kill(pid: int, number: int) -> None:
        if pid == os.getpid() and number in _FATAL:
            measuring.save()
        kill(pid, number)

    os.kill = save_and_kill
