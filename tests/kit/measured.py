"""Coverage in a program that a test starts by exec, when the test run itself measures coverage.

What tests fork is measured as their own process is, and saved by the patch of os._exit in pyproject.toml.  A program of
its own has to begin to measure by itself; it does so in the line that starts it, as no environment reaches it.

Whole mail systems are measured only with ``make coverage``, which names a folder in PYFIX_TEST_COVERAGE: the programs
of a system begin by themselves, and their daemons, which end by SIGTERM, save before they do.  That slows each process
down and changes the moment of its end, so ``make test`` leaves it alone.  Processes in a jail, and what a test kills with
SIGKILL, stay unmeasured.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import FrameType
from typing import Any

_CHECKOUT = Path(__file__).resolve().parents[2]
_FATAL = (signal.SIGTERM, signal.SIGINT)
FOLDER_VARIABLE = "PYFIX_TEST_COVERAGE"
"""Environment variable that names the folder for the data of whole mail systems, in which everybody may write."""


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


def measure_launchers(folder: Path) -> None:
    """Let the programs in *folder*, launchers of pyfix, measure themselves if that is wanted."""
    data = os.environ.get(FOLDER_VARIABLE)
    if not data:
        return
    begin_first = f"sys.path.append({str(_CHECKOUT)!r}); from tests.kit.measured import begin_program; begin_program({data!r}); "
    for path in folder.iterdir():
        text = path.read_text(errors="surrogateescape")
        if "from pyfix.launch" in text:
            path.write_text(text.replace("from pyfix.launch", f"{begin_first}from pyfix.launch", 1), errors="surrogateescape")


def begin_program(folder: str) -> None:
    """Measure a program of a whole mail system and what it forks; the data are saved in *folder* when each ends."""
    import coverage

    measuring = coverage.Coverage(data_file=f"{folder}/.coverage", config_file=str(_CHECKOUT / "pyproject.toml"))
    measuring.start()
    set_handler, kill = signal.signal, os.kill

    def save_and_end(number: int, _frame: FrameType | None) -> None:
        measuring.save()
        set_handler(number, signal.SIG_DFL)
        kill(os.getpid(), number)

    def set_or_save(number: int, handler: Any) -> Any:
        return set_handler(number, save_and_end if number == signal.SIGTERM and handler == signal.SIG_DFL else handler)

    signal.signal = set_or_save  # type: ignore[assignment]  # of the same shape
