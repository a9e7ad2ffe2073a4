"""The lock files by which a running master(8) is known, Postfix's or ours.

``pid/master.pid`` in queue_directory and ``master.lock`` in data_directory: each holds the process id, right-aligned
in 32 columns, and is locked with flock(2) for as long as master runs.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat

PID_FILE = "pid/master.pid"
"""Relative to queue_directory."""
DATA_LOCK = "master.lock"
"""Relative to data_directory."""

_FLAGS = os.O_RDWR | os.O_CLOEXEC
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
    """Open or make the file; it must be a regular one with one name, and nobody else may have put it there."""
    try:
        return _open_existing(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise LockError(f"cannot open file: {error.strerror}") from error
    try:
        fd = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, _MODE)
    except FileExistsError:  # a symbolic link to nothing
        raise LockError(f"cannot open file: {os.strerror(errno.ENOENT)}") from None
    except OSError as error:
        raise LockError(f"cannot create file exclusively: {error.strerror}") from error
    os.fchmod(fd, _MODE)
    return fd


def _open_existing(path: str) -> int:
    fd = os.open(path, _FLAGS)
    try:
        problem = _problem(path, os.fstat(fd))
    except BaseException:
        os.close(fd)
        raise
    if problem:
        os.close(fd)
        raise LockError(problem)
    return fd


def _problem(path: str, opened: os.stat_result) -> str:
    """Say what is wrong with an open file that *path* led to."""
    if not stat.S_ISREG(opened.st_mode):
        return "not a regular file"
    if opened.st_nlink != 1:
        return f"file has {opened.st_nlink} hard links"
    named = os.lstat(path)
    if stat.S_ISLNK(named.st_mode):
        # Root may lead us elsewhere, from a folder in which nobody else can.
        folder = os.stat(os.path.dirname(path) or ".")
        if named.st_uid == 0 and folder.st_uid == 0 and not folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return ""
        return "file is a symbolic link"
    return "" if os.path.samestat(named, opened) else "file status changed unexpectedly"


def running_master(queue_directory: str) -> int | None:
    """Return the process id of the master that runs on *queue_directory*, None if there is none.

    Raises OSError or LockError when the lock file can't be opened or is none.
    """
    path = os.path.join(queue_directory, PID_FILE)
    try:
        fd = _open_existing(path)
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
        return max(int(content), 0)  # a signal to a negative number would go to a whole group
    except ValueError:
        return 0
