"""Ends the instances of a test process that was killed before it could do so itself.

A guardian is a small process that hears of each instance's folder through a pipe.  When the pipe ends, because the
test process is gone in whatever way, it ends what still runs in these folders and deletes them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache, partial
from pathlib import Path

from tests.kit import processes

_CHECKOUT = Path(__file__).resolve().parents[2]


def watch(directory: Path) -> None:
    """Have *directory* cleared should this process end without doing it."""
    guardian = _guardian()
    assert guardian.stdin is not None
    guardian.stdin.write(f"{directory}\n".encode())
    guardian.stdin.flush()


@cache
def _guardian() -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "tests.kit.guardian"]
    # A session of its own: what ends the test process's group does not end its guardian.
    return subprocess.Popen(argv, stdin=subprocess.PIPE, cwd=_CHECKOUT, start_new_session=True)


def guard() -> None:
    """Wait for the end of standard input and clear the folders that were named there."""
    folders = [Path(line.strip()) for line in sys.stdin]
    for folder in folders:
        if folder.exists():
            processes.end(partial(processes.pids_inside, folder), 1.0)
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    guard()
