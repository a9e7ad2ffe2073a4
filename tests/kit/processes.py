"""Finding and ending the processes of one instance, each by its id."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

_STATE = re.compile(rb"\nState:\t(.)")
_SWITCHES = re.compile(rb"ctxt_switches:\t(\d+)")
PATIENCE = 4
"""How many times slower than idle the machine may be."""
_REST = 0.003
"""Seconds: longer than it takes the kernel to make a process runnable."""


def pids_inside(directory: Path) -> list[int]:
    """Return the ids of all processes that work in *directory* or name it in their arguments."""
    found = []
    name = os.fsencode(directory)
    inside = name + b"/"
    for pid in _all_pids():
        if pid == os.getpid():
            continue
        try:
            if (os.fsencode(os.readlink(f"/proc/{pid}/cwd")) + b"/").startswith(inside):
                found.append(pid)
                continue
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if name in arguments and any((word + b"/").startswith(inside) for word in arguments.split(b"\0")):
            found.append(pid)
    return found


def _all_pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def is_running(pid: int) -> bool:
    """Tell whether there is such a process and it has not ended."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def trace_of_running(pids: Iterable[int]) -> tuple[object, ...] | None:
    """Return what changes whenever one of the processes runs; None while one is running, or wants to, or waits for a disk.

    Two equal traces mean that all of them have waited from the first to the second; so does what they say to each other,
    because the receiver of a message wants to run at once.
    """
    trace: list[object] = []
    for pid in pids:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                status = Path(f"/proc/{pid}/task/{thread}/status").read_bytes()
                state = _STATE.search(status)
                if state is None or state[1] in (b"R", b"D", b"t"):  # the last: strace has to look at it
                    return None
                trace.append((thread, _SWITCHES.findall(status)))
        except OSError:
            return None  # it has just ended
    return tuple(trace)


def wait_until_at_rest(pids: Callable[[], list[int]], seconds: float) -> bool:
    """Wait until all that *pids* names wait for something from outside, or for a time; tell whether they do."""

    def at_rest() -> bool:
        before = trace_of_running(pids())
        if before is None:
            return False
        time.sleep(_REST)
        return trace_of_running(pids()) == before  # of new processes, too

    return wait_until(at_rest, seconds)


def end(pids: Callable[[], list[int]], seconds: float = 5.0) -> list[int]:
    """End what *pids* names: SIGTERM first, SIGKILL after *seconds*.  Return what had to be killed."""
    for pid in pids():
        _signal(pid, signal.SIGTERM)
    if wait_until(lambda: not any(map(is_running, pids())), seconds):
        return []
    stubborn = [pid for pid in pids() if is_running(pid)]
    for pid in stubborn:
        _signal(pid, signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, stubborn)), 5.0)
    return stubborn


def end_child(process: subprocess.Popen[Any], seconds: float = 20.0, by: signal.Signals = signal.SIGTERM) -> None:
    """End a process of ours that may take some seconds for it; then it is killed."""
    process.send_signal(by)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(seconds)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_until(condition: Callable[[], object], seconds: float, step: float = 0.01) -> bool:
    """Wait until *condition* is true; tell whether it came true.

    *seconds* is what an idle machine needs at most; PATIENCE times that is what a busy one gets.
    """
    end_time = time.monotonic() + seconds * PATIENCE
    while not condition():
        if time.monotonic() > end_time:
            return False
        time.sleep(step)
        step = min(step * 1.5, 0.1)
    return True


def command_line(pid: int) -> str:
    """Return a process's arguments, blanks between them; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def program_name(pid: int) -> str:
    """Return the name of the daemon that a process runs: a program, a launcher's interpreter or a named fork."""
    words = command_line(pid).split()
    if not words:
        return ""
    name = words[0].rsplit("/", 1)[-1].rstrip(":")
    if name.startswith("python") and (scripts := [word for word in words[1:] if not word.startswith("-")]):
        name = scripts[0].rsplit("/", 1)[-1]
    return name


def only_child(pid: int) -> int | None:
    """Return the child of a process that never has more than one; None if it has none yet."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return None
    return int(children[0]) if children else None
