"""The maildrop folder: what local users posted and nobody has taken into the queue yet.

Any member of group postdrop may write there, so nothing in it is trusted.  Source: pickup(8), postdrop(1).
"""

from __future__ import annotations

import os
import stat
from typing import Final, NamedTuple

from pyfix.formats.queueid import is_valid
from pyfix.queue.spool import MAILDROP, Spool

_DAY: Final = 86400
_AHEAD: Final = 7200
"""Seconds by which a file may be newer than the clock says."""
_OTHERS_MAY_READ: Final = 0o004


class Refused(Exception):
    """A file that can't be taken; the text says why."""

    def __init__(self, reason: str, *, remove: bool) -> None:
        super().__init__(reason)
        self.remove = remove
        """Whether the file is to be deleted."""


class Posted(NamedTuple):
    """A complete file in the maildrop."""

    name: str
    path: str
    uid: int
    """Who posted it."""
    mode: int
    changed: float
    """Its modification time, in seconds since the epoch."""

    def requeued(self, mail_owner: int) -> bool:
        """Tell whether postsuper(1) put the message here, to have it processed again."""
        return self.uid == mail_owner and not self.mode & _OTHERS_MAY_READ

    def age_warning(self, now: float) -> str:
        """Return what is strange about its time, or nothing."""
        if now - self.changed > _DAY:
            return f"message {self.path} has been queued for {int(now - self.changed) // _DAY} days"
        if self.changed - now > _AHEAD:
            return f"message {self.path} dated {int(self.changed) - int(now)} seconds into the future"
        return ""


def names(spool: Spool) -> list[str]:
    """Return the names in the maildrop that may be those of messages.  Raises OSError."""
    return [name for name in os.listdir(spool.folder(MAILDROP)) if is_valid(name)]


def look_at(spool: Spool, name: str) -> Posted | None:
    """Return the file *name* if it is complete, None if it is still being written or is gone.

    Raises Refused for what is no regular file.
    """
    path = spool.path(MAILDROP, name)
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise Refused(f"{path}: uid {status.st_uid}: not a regular file", remove=False)
    if not status.st_mode & stat.S_IXUSR:
        return None
    return Posted(name, path, status.st_uid, status.st_mode, status.st_mtime)


def open_safely(posted: Posted) -> int:
    """Open a file for reading, which must still be the one that was looked at; return the descriptor.

    Raises Refused.
    """
    what = f"open input file {posted.path}"
    try:
        fd = os.open(posted.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise Refused(f"{what}: cannot open file: {error.strerror}", remove=False) from error
    except OSError as error:
        reason = f"{what}: cannot open file: {error.strerror}"
        raise Refused(reason, remove=not isinstance(error, PermissionError)) from error
    status = os.fstat(fd)
    fault = ""
    if not stat.S_ISREG(status.st_mode):
        fault = "not a regular file"
    elif status.st_nlink != 1:
        fault = f"file has {status.st_nlink} hard links"
    elif status.st_uid != posted.uid:
        fault = "file has changed"
    if fault:
        os.close(fd)
        raise Refused(f"{what}: {fault}", remove=True)
    return fd
