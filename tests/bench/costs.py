"""Processor time, system calls and memory of an instance, by daemon."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.kit import processes
from tests.kit.instance import Instance

_TICK = 1_000_000 // os.sysconf("SC_CLK_TCK")
"""Microseconds in a unit of /proc/<pid>/stat."""


@dataclass(frozen=True)
class Times:
    """Microseconds of processor time, by daemon; those of processes that have ended stand under their parent's name."""

    user: Counter[str]
    system: Counter[str]

    def since(self, before: Times) -> Times:
        """Return what was added after *before*."""
        return Times(self.user - before.user, self.system - before.system)

    def total(self) -> int:
        """Return all of it."""
        return self.user.total() + self.system.total()


def processor_times(instance: Instance) -> Times:
    """Return what the instance's processes have used so far."""
    user: Counter[str] = Counter()
    system: Counter[str] = Counter()
    for pid in instance.pids():
        name = processes.program_name(pid)
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        own_user, own_system, ended_user, ended_system = (int(field) * _TICK for field in fields[11:15])
        user[name] += own_user
        system[name] += own_system
        user[f"{name} (ended)"] += ended_user
        system[f"{name} (ended)"] += ended_system
    return Times(user, system)


def proportional_memory(instance: Instance) -> int:
    """Return the KiB of memory of all processes, shared pages divided by those who share them (sum of Pss)."""
    total = 0
    for pid in instance.pids():
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


def system_calls(instance: Instance, load: Callable[[], object]) -> Counter[str]:
    """Run *load* with all present processes traced; return the number of system calls by daemon.

    Processes that start meanwhile are not counted, so the daemons should be warm.
    """
    by_name: dict[str, list[int]] = {}
    for pid in instance.pids():
        by_name.setdefault(processes.program_name(pid), []).append(pid)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        tracers = {}
        for name, pids in by_name.items():
            output = Path(folder) / name
            argv = ["strace", "-q", "-c", "-o", str(output), *(word for pid in pids for word in ("-p", str(pid)))]
            tracers[name] = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            traced = [pid for pids in by_name.values() for pid in pids]
            processes.wait_until(lambda: all(map(_is_traced, traced)), 5.0)
            load()
            time.sleep(0.2)
        finally:
            for tracer in tracers.values():
                tracer.send_signal(signal.SIGINT)
            for tracer in tracers.values():
                tracer.wait(10)
        for name in tracers:
            counts[name] = _total_calls((Path(folder) / name).read_text())
    return counts


def _is_traced(pid: int) -> bool:
    try:
        return "\nTracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def _total_calls(table: str) -> int:
    """Return the number of calls in the last line of ``strace -c``: the fourth word, before any errors."""
    for line in reversed(table.splitlines()):
        words = line.split()
        if words and words[-1] == "total":
            return int(words[3])
    return 0
