"""The deferred queue: how fast it is drained, and what a large one costs at start, in a scan and in memory.

Files that are not due are only looked at, so that a queue of a million can be made of names of a single file.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.load import RoundFailed, wait_until_gone
from tests.bench.queuefiles import FOLDERS, fill, make_folders, sample
from tests.bench.rows import DISCARD, Row
from tests.kit.instance import Instance

DRAIN: Final = Row("drain-10000", DISCARD, 0, 0, 10_000, 1.0)
LARGE: Final = 100_000
"""Files of the large queue."""
GROWING: Final = (125_000, 250_000, 500_000, 1_000_000)
"""Names in the queues by which is seen how scans grow."""
SLACK: Final = 500.0
"""KiB that do not count: allocators differ."""
_DAY: Final = 86_400.0
_TICK: Final = os.sysconf("SC_CLK_TCK")
_QUIET: Final = 0.5
_LONGEST: Final = 300.0


@dataclass(frozen=True)
class Scan:
    """What a look at a whole deferred queue costs qmgr(8)."""

    seconds: float
    """From the request until it is at rest."""
    processor: float
    """Seconds of processor time."""
    memory: float
    """KiB of memory of its own afterwards."""


def drain_seconds(instance: Instance, row: Row) -> float:
    """Return the seconds from ``postqueue -f`` until the files of *row*, all of them due, are delivered."""
    instance.forget()
    fill(instance, sample(instance, row.recipient), row.messages, 0.0)
    start = time.monotonic()
    done = instance.run("postqueue", "-f")
    if done.returncode:
        raise RoundFailed(f"postqueue -f ended with {done.returncode}: {done.stderr!r}")
    wait_until_gone(instance, ("deferred", "incoming", "active"), start)
    return time.monotonic() - start


def start_seconds(instance: Instance, count: int) -> float:
    """Give a running instance *count* files that are due tomorrow, and start it again.

    Returns the seconds until qmgr(8) has seen them: postsuper(1), master(8), and the first scan.
    """
    content = sample(instance, DISCARD)
    instance.stop()
    fill(instance, content, count, -_DAY)
    start = time.monotonic()
    done = instance.run("postsuper", timeout=_LONGEST)
    if done.returncode:
        raise RoundFailed(f"postsuper ended with {done.returncode}: {done.stderr!r}")
    instance.start()
    _rest(_qmgr(instance))
    return time.monotonic() - start - _QUIET


def scan(instance: Instance) -> Scan:
    """Let qmgr(8) look at the deferred queue."""
    pid = _qmgr(instance)
    before, start = _processor_seconds(pid), time.monotonic()
    instance.run("postkick", "public", "qmgr", "D")
    _rest(pid)
    return Scan(time.monotonic() - start - _QUIET, _processor_seconds(pid) - before, _own_memory(pid))


@contextmanager
def deferred_in_memory(instance: Instance) -> Iterator[None]:
    """Put the deferred queue of a running instance on a file system in memory."""
    folder = instance.queue_directory / "deferred"
    owner = folder.stat()
    options = f"size=1g,nr_inodes=0,mode=700,uid={owner.st_uid},gid={owner.st_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        make_folders(instance)
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def add_names(instance: Instance, first: int, last: int) -> None:
    """Add names of one file, due tomorrow, to the deferred queue in memory."""
    folder = instance.queue_directory / "deferred"
    original = folder / "0" / "000000"
    if not first:
        original.touch(0o700)
        due = time.time() + _DAY
        os.utime(original, (due, due))
    for number in range(max(first, 1), last):
        digit = FOLDERS[number & 15]
        os.link(original, folder / digit / f"{digit}{number:X}FFFFF")


def _qmgr(instance: Instance) -> int:
    pids = instance.pids_of("qmgr")
    if len(pids) != 1:
        raise RoundFailed(f"processes of qmgr: {pids}")
    return pids[0]


def _rest(pid: int) -> None:
    """Wait until a process has used no processor time for a while."""
    end = time.monotonic() + _LONGEST
    used = -1.0
    while used != (used := _processor_seconds(pid)):
        if time.monotonic() > end:
            raise RoundFailed("qmgr does not come to rest")
        time.sleep(_QUIET)


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _own_memory(pid: int) -> float:
    """Return the KiB of a process that are no file's."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return float(sum(int(line.split()[1]) for line in lines if line.startswith("Private_")))
