"""The lock files by which a running master(8) is known, Postfix's or ours.

``pid/master.pid`` in queue_directory and ``master.lock`` in data_directory: each holds the process id, right-aligned
in 32 columns, and is locked with flock(2) for as long as master runs.
"""

from __future__ import annotations

import fcntl
import os
import stat

PID_FILE = "pid/master.pid"
"""Relative to queue_directory."""
DATA_LOCK = "master.lock"
"""Relative to data_directory."""

_MODE = 0o600
_WIDTH = 32


class LockError(Exception):
    """The lock can't be had; the text ends Postfix's line ``open lock file FILE: ...``."""


class MasterLock:
    """A lock file that is ours until the process ends.

    The descriptor is a plain number so that nothing closes it behind our back, in a forked child for instance.
    """

    def __init__(self, path: str) -> None:
        """Open or make the file and lock it.  Raises LockError."""
        self.fd = _open_regular(path)
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self.fd)
            raise LockError(f"unable to set exclusive lock: {os.strerror(error.errno or 0)}") from error

    def write_pid(self, pid: int) -> None:
        """Put a process id into the file.  Raises OSError."""
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, f"{pid:>{_WIDTH}}\n".encode(), 0)


def _open_regular(path: str) -> int:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    what = "cannot open file"
    try:
        try:
            fd = os.open(path, flags)
        except FileNotFoundError:
            what = "cannot create file exclusively"
            fd = os.open(path, flags | os.O_CREAT | os.O_EXCL, _MODE)
            os.fchmod(fd, _MODE)
    except OSError as error:
        raise LockError(f"{what}: {os.strerror(error.errno or 0)}") from error
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        os.close(fd)
        raise LockError("not a regular file" if not stat.S_ISREG(status.st_mode) else "file has multiple hard links")
    return fd


def running_master(queue_directory: str) -> int | None:
    """Return the process id of the master that runs on *queue_directory*, None if there is none.

    Raises OSError when the lock file can't be opened, PermissionError for instance.
    """
    path = os.path.join(queue_directory, PID_FILE)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _pid_in(os.pread(fd, 100, 0))
    finally:
        os.close(fd)
    return None


def _pid_in(content: bytes) -> int:
    """Return the number; 0 when master has locked the file but not yet written to it."""
    try:
        return int(content)
    except ValueError:
        return 0
