"""One message of the queue, named by its id: postsuper(1) -d, -e, -h, -H and -r, also while the mail system runs.

A running queue manager moves messages from one queue to another, so a queue may have been looked into too early:
what was not found is looked for twice.
"""

from __future__ import annotations

import os
import stat
import time

from pyfix.queue.spool import ACTIVE, BOUNCE, DEFER, DEFERRED, EXPIRE_BIT, HOLD, INCOMING, MAILDROP, READY_MODE, TRACE
from pyfix.runtime.console import CommandError
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyfix.commands.postsuper.counts import Counts
    from pyfix.commands.postsuper.progress import Progress
    from pyfix.queue.spool import Spool

LOG_QUEUES = (BOUNCE, DEFER, TRACE)
_ATTEMPTS = {"d": 2, "e": 2, "h": 2, "H": 1, "r": 2}
_QUEUES = {
    "d": (HOLD, MAILDROP, INCOMING, ACTIVE, DEFERRED), "e": (HOLD, INCOMING, ACTIVE, DEFERRED),
    "h": (INCOMING, ACTIVE, DEFERRED), "H": (HOLD,), "r": (HOLD, INCOMING, ACTIVE, DEFERRED),
}  # fmt: skip
"""Where each action looks for a message; queues that were named are fewer."""
_DONE = {"d": "removed", "e": "expired", "h": "placed on hold", "H": "released from hold", "r": "requeued"}


def expire(path: str) -> bool:
    """Have a message returned at its next delivery; False when it is so already, is not complete, or can't be marked.

    The last is logged.  Raises FileNotFoundError.
    """
    mode = os.lstat(path).st_mode & 0o7777
    if mode & EXPIRE_BIT or mode & READY_MODE != READY_MODE:
        return False
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        log.warning(f"expire file {path}: cannot open file: {error.strerror}")
        return False
    try:
        if (links := os.fstat(fd).st_nlink) != 1:
            log.warning(f"expire file {path}: file has {links} hard links")
            return False
        os.fchmod(fd, mode | EXPIRE_BIT)
    except OSError as error:
        log.warning(f"expire file {path}: {error.strerror}")
        return False
    finally:
        os.close(fd)
    return True


def move(spool: Spool, path: str, target: str) -> bool:
    """Give a file another path, whose folders are made when they are missing; False when the file has gone.

    Raises CommandError for any other trouble.
    """
    try:
        try:
            os.rename(path, target)
        except FileNotFoundError:
            spool.make_folders(target)
            os.rename(path, target)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise CommandError(f"rename file {path} as {target}: {error.strerror}") from error
    return True


def _is_message(path: str) -> bool:
    """Tell whether there is a complete message; what is no file is told of."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning(f"{path}: {error.strerror}")
        return False
    if not stat.S_ISREG(status.st_mode):
        log.warning(f"{path}: uid {status.st_uid}: not a regular file")
        return False
    return status.st_mode & READY_MODE == READY_MODE


class Keeper:
    """Acts on messages by their ids, in *queues* or, when that is empty, wherever the action looks."""

    def __init__(self, spool: Spool, queues: Sequence[str], progress: Progress, counts: Counts) -> None:
        self._spool = spool
        self._queues = queues
        self._progress = progress
        self.counts = counts

    def act(self, letter: str, queue_id: str) -> None:
        """Do what *letter* stands for to one message, and log it.  Raises CommandError."""
        actions: dict[str, Callable[[str, str], bool]] = {
            "d": self._delete, "e": self._expire, "h": self._hold, "H": self._release, "r": self._requeue,
        }  # fmt: skip
        action = actions[letter]
        queues = [queue for queue in _QUEUES[letter] if not self._queues or queue in self._queues]
        self._progress.step("messages")
        for queue in queues * _ATTEMPTS[letter]:
            path = self._spool.path(queue, queue_id)
            if _is_message(path) and action(path, queue_id):
                break
        else:
            return
        self.counts.add(letter)
        self._progress.clear()
        log.info(f"{queue_id}: {_DONE[letter]}")

    def _delete(self, path: str, queue_id: str) -> bool:
        if not _unlinked(path):
            return False
        for queue in LOG_QUEUES:
            _unlinked(self._spool.path(queue, queue_id))
        return True

    def _expire(self, path: str, _queue_id: str) -> bool:
        try:
            return expire(path)
        except FileNotFoundError:
            return False

    def _hold(self, path: str, queue_id: str) -> bool:
        return move(self._spool, path, self._spool.path(HOLD, queue_id))

    def _release(self, path: str, queue_id: str) -> bool:
        return move(self._spool, path, self._spool.path(DEFERRED, queue_id))

    def _requeue(self, path: str, queue_id: str) -> bool:
        target = self._spool.path(MAILDROP, queue_id)
        if not move(self._spool, path, target):
            return False
        try:
            now = time.time()
            os.utime(target, (now, now))  # pickup(8) leaves alone what seems to come from the future
        except FileNotFoundError:
            pass  # pickup(8) was faster
        except OSError as error:
            log.warning(f"{target}: reset time stamps: {error.strerror}")
        return True


def _unlinked(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning(f"{path}: {error.strerror}")
        return False
    return True
