"""Locks of mailbox files: a lock file beside it, fcntl, flock.

Source: postconf(5) mailbox_delivery_lock, virtual_mailbox_lock, deliver_lock_attempts, stale_lock_time.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from pyfix.config.errors import ConfigError

_SUFFIX: Final = ".lock"
_METHODS: Final = frozenset(("fcntl", "flock", "dotlock"))
_BUSY: Final = (errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK)


class LockBusy(Exception):
    """Somebody else has the mailbox; try again later.  *error* is what the system said last."""

    def __init__(self, text: str, error: OSError) -> None:
        super().__init__(text)
        self.text = text
        self.error = error


def parse_methods(parameter: str, words: Sequence[str], value: str) -> frozenset[str]:
    """Return the locking methods; *words* are those of *value*.  Raises ConfigError for an unknown name, or none."""
    methods = frozenset(words)
    for word in words:
        if word not in _METHODS:
            # Postfix calls the parameter so whichever it is.
            raise ConfigError(f'unknown mailbox_delivery_lock value "{word}" in "{value}"')
    if not methods:
        raise ConfigError(f"parameter {parameter} specifies no applicable mailbox locking method")
    return methods


def take_dotlock(path: str, stale_time: int, *, may_fail: bool = False) -> bool:
    """Make the lock file of a mailbox; return whether it is there.

    With *may_fail* a mailbox that exists in a folder where nobody may write is locked without a lock file.  A lock
    file that is older than *stale_time* seconds is removed.  Raises LockBusy, or OSError for other reasons.
    """
    lock = path + _SUFFIX
    for attempt in range(2):
        try:
            os.close(os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))
        except FileExistsError as error:
            if attempt or not _is_stale(lock, stale_time):
                raise LockBusy(f"unable to create lock file {lock}", error) from error
            with suppress(FileNotFoundError):
                os.unlink(lock)
        except PermissionError:
            if not may_fail or not os.path.exists(path):
                raise
            return False
        else:
            return True
    return False


def _is_stale(lock: str, stale_time: int) -> bool:
    try:
        return time.time() - os.stat(lock).st_ctime > stale_time
    except OSError:
        return False


def _remove(lock: str) -> None:
    try:
        os.unlink(lock)
    except OSError:
        return


def release_dotlock(path: str) -> None:
    """Remove the lock file of a mailbox."""
    _remove(path + _SUFFIX)


def lock_file(fd: int, methods: frozenset[str]) -> None:
    """Take the kernel's locks of an open mailbox without waiting; they end when it is closed.

    Raises LockBusy, OSError.
    """
    try:
        if "flock" in methods:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if "fcntl" in methods:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            raise LockBusy("unable to lock for exclusive access", error) from error
        raise
