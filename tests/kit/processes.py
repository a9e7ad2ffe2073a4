"""Finding and ending the processes of one instance, each by its id."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
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
    own = b"%d" % os.getpid()
    for pid in _all_pids():
        if pid == own:
            continue
        try:
            if (os.readlink(b"/proc/%b/cwd" % pid) + b"/").startswith(inside):
                found.append(int(pid))
                continue
            arguments = _content(b"/proc/%b/cmdline" % pid)
        except OSError:
            continue
        if name in arguments and any((word + b"/").startswith(inside) for word in arguments.split(b"\0")):
            found.append(int(pid))
    return found


def _all_pids() -> list[bytes]:
    return [name for name in os.listdir(b"/proc") if name.isdigit()]


def _content(path: bytes) -> bytes:
    """Return what is in a file below /proc: there are hundreds to look at, so without a file object for each."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        whole = b""
        while part := os.read(fd, 4096):
            whole += part
        return whole
    finally:
        os.close(fd)


def is_running(pid: int) -> bool:
    """Tell whether there is such a process and it has not ended."""
    try:
        status = _content(b"/proc/%d/stat" % pid)
    except OSError:
        return False
    return status.rpartition(b")")[2].split()[0] not in b"ZX"


def trace_of_running(pids: Iterable[int]) -> tuple[object, ...] | None:
    """Return what changes whenever one of the processes runs; None while one is running, or wants to, or waits for a disk.

    Two equal traces mean that all of them have waited from the first to the second; so does what they say to each other,
    because the receiver of a message wants to run at once.
    """
    trace: list[object] = []
    for pid in pids:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                status = _content(b"/proc/%d/task/%b/status" % (pid, os.fsencode(thread)))
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
        present = set(_all_pids())
        inside = pids()
        before = trace_of_running(inside)
        if before is None:
            return False
        time.sleep(_REST)
        if not present.issuperset(_all_pids()):  # a new process may be one of ours
            inside = pids()
        return trace_of_running(inside) == before

    return wait_until(at_rest, seconds)


def end(pids: Callable[[], list[int]], seconds: float = 5.0) -> list[int]:
    """End what *pids* names: SIGTERM first, SIGKILL after *seconds*.  Return what had to be killed."""
    present = pids()
    if not present:
        return []
    for pid in present:
        _signal(pid, signal.SIGTERM)
    if wait_until_gone(present, pids, seconds):
        return []
    stubborn = [pid for pid in pids() if is_running(pid)]
    for pid in stubborn:
        _signal(pid, signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, stubborn)), 5.0)
    return stubborn


def wait_until_gone(present: Iterable[int], pids: Callable[[], list[int]], seconds: float) -> bool:
    """Wait until no process runs of *present*, what *pids* just named, nor any that it names then; tell whether it is so.

    To find all processes of an instance is much more work than to see that the known ones still run.
    """
    known = list(present)

    def gone() -> bool:
        if not any(map(is_running, known)):
            known[:] = [pid for pid in pids() if is_running(pid)]
        return not any(map(is_running, known))

    return wait_until(gone, seconds)


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
