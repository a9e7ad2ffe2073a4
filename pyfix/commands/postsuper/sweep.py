"""All files of queues, one by one: postsuper(1) -p, -s and -S, and what is done to ALL messages.

What is no message is taken out of the way: files of programs that crashed, links and folders that belong nowhere, and
folders of a hash_queue_depth that is no more.
"""

from __future__ import annotations

import os
import re
import stat
import time

from pyfix.commands.postsuper.counts import Counts
from pyfix.commands.postsuper.messages import LOG_QUEUES, expire, move
from pyfix.formats.queueid import inode_of, is_long, is_valid, long_microseconds, long_with_inode, short_id
from pyfix.queue.spool import ACTIVE, DEFERRED, HOLD, INCOMING, MAILDROP, READY_MODE
from pyfix.runtime.console import CommandError
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyfix.commands.postsuper.progress import Progress
    from pyfix.queue.spool import Spool

_MESSAGE_QUEUES = (MAILDROP, INCOMING, ACTIVE, DEFERRED, HOLD)
_SOURCES = {
    "e": (INCOMING, ACTIVE, DEFERRED, HOLD), "h": (INCOMING, ACTIVE, DEFERRED), "H": (HOLD,),
    "r": (INCOMING, ACTIVE, DEFERRED, HOLD),
}  # fmt: skip
_TARGETS = {"h": HOLD, "H": DEFERRED, "r": MAILDROP}
_STALE_SECONDS = 7 * 86400
_SHORTEST_ID = 6
"""A file with a shorter name is none of a message."""
_UNFIXED = "#FIX"
"""Behind a new name until all files have theirs: another file may still have that name."""
_LARGEST_INODE = 2**64 - 1
_is_short_id = re.compile(r"[0-9A-F]{5}[1-9A-F][0-9A-F]{0,15}").fullmatch
_STRIDE = 64
"""Files between two looks at the clock."""
_USUAL_MODE = stat.S_IFREG | READY_MODE


def _unusual(folder: str, names: list[str], hashed: str) -> list[str]:
    """Return those of *names* that are not what nearly every file is at one look: complete, in its place, well named.

    *hashed* are the letters of the folder, with which its names begin.
    """
    left: list[str] = []
    lstat, usual_mode = os.lstat, _USUAL_MODE
    for name in names:
        if _is_short_id(name) and name.startswith(hashed):
            try:
                status = lstat(f"{folder}/{name}")
            except FileNotFoundError:
                continue  # delivered meanwhile
            if status.st_mode == usual_mode and status.st_ino == int(name[5:], 16):
                continue
        left.append(name)
    return left


def _is_stale(status: os.stat_result) -> bool:
    return status.st_mtime < time.time() - _STALE_SECONDS


class Sweep:
    """Goes through *queues* in their order."""

    def __init__(
        self, spool: Spool, queues: Sequence[str], progress: Progress, *, long_ids: bool, verbose: bool = False
    ) -> None:
        """*long_ids* is postconf(5) enable_long_queue_ids."""
        self._spool = spool
        self._queues = queues
        self._progress = progress
        self._long_ids = long_ids
        self._verbose = verbose
        self._purge = self._structure = self._with_long_ids = False
        self._steps = ""
        self.counts = Counts()
        self.names_changed = False
        """A message has another id than before, or will have."""

    def put_in_order(self, *, purge: bool, structure: bool, with_long_ids: bool) -> None:
        """Remove files of programs that crashed (*purge*), and put files where they belong (*structure*).

        A file whose id does not say its inode number, as after a restore from a backup, gets a new id; so does one
        with a long id when there shall be none.  Other long ids, which are unique without it, are looked at only
        *with_long_ids*.  Raises CommandError.
        """
        self._purge, self._structure, self._with_long_ids, self._steps = purge, structure, with_long_ids, ""
        self._run()
        if self.names_changed:  # all have their numbers: now the marks can go
            self._purge = False
            self._run()

    def act(self, steps: str) -> None:
        """Do one action or more, by their letters, to all messages.  Raises CommandError."""
        self._purge = self._structure = False
        self._steps = steps
        for step in steps:
            self.counts.expect(step)
        self._run()

    def _run(self) -> None:
        for queue in self._queues:
            if self._verbose:
                log.info(f"queue: {queue}")
            wanted = self._spool.depth if self._spool.is_hashed(queue) else 0
            quick = self._structure and queue in _MESSAGE_QUEUES
            for folder, names, hashed in self._folders(queue, self._spool.folder(queue), "", wanted):
                for start in range(0, len(names), _STRIDE):
                    some = names[start : start + _STRIDE]
                    self._progress.step(queue, len(some))
                    for name in _unusual(folder, some, hashed) if quick and len(hashed) == wanted else some:
                        self._look_at(queue, name, f"{folder}/{name}")

    def _folders(self, queue: str, folder: str, hashed: str, wanted: int) -> Iterator[tuple[str, list[str], str]]:
        """Yield a folder, the names in it, and the letters that lead to it; and those below.

        Those that are deeper than *wanted* are removed afterwards.
        """
        try:
            names = os.listdir(folder)
        except OSError as error:
            raise self._failure(f"scan_dir_push: open directory {folder}: {error.strerror}") from error
        yield folder, [name for name in names if len(name) > 1], hashed
        for name in names:
            if len(name) > 1:
                continue
            path = f"{folder}/{name}"
            yield from self._folders(queue, path, hashed + name, wanted)
            if len(hashed) >= wanted:
                try:
                    os.rmdir(path)
                except FileNotFoundError:
                    pass
                except OSError as error:
                    raise self._failure(f"remove directory {path}: {error.strerror}") from error
                if self._verbose:
                    log.info(f"remove directory {path}")

    def _failure(self, text: str) -> CommandError:
        self._progress.clear()
        return CommandError(text)

    def _warn(self, text: str) -> None:
        self._progress.clear()
        log.warning(text)

    def _look_at(self, queue: str, name: str, path: str) -> None:
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return  # delivered meanwhile
        if stat.S_ISDIR(status.st_mode):
            try:
                os.rmdir(path)
            except OSError as error:
                self._warn(f"remove subdirectory {path}: {error.strerror}")
            else:
                if self._verbose:
                    log.info(f"remove subdirectory {path}")
            return
        messages = queue in _MESSAGE_QUEUES
        complete = status.st_mode & READY_MODE == READY_MODE
        if "d" in self._steps:
            if self._remove(path) and messages and complete:
                self.counts.add("d")
        elif not stat.S_ISREG(status.st_mode) or (self._purge and messages and not complete and _is_stale(status)):
            self._remove(path)
        elif self._structure:
            self._fix(queue, name, path, status.st_ino)
        elif messages and not is_valid(name):
            self._warn(f"bogus file name: {path}")
        else:
            self._act(queue, name, path)

    def _remove(self, path: str) -> bool:
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._failure(f"remove file {path}: {error.strerror}") from error
        if self._verbose:
            log.info(f"removed file {path}")
        return True

    def _act(self, queue: str, name: str, path: str) -> None:
        for step in self._steps:
            if queue not in _SOURCES[step]:
                continue
            if step == "e":
                try:
                    done = expire(path)
                except FileNotFoundError:
                    return
            else:
                done = move(self._spool, path, self._spool.path(_TARGETS[step], name))
            if done:
                self.counts.add(step)

    # The structure

    def _fix(self, queue: str, name: str, path: str, inode: int) -> None:
        """Put one file into the folder where hash_queue_names and hash_queue_depth expect it, under its right name."""
        new_name = self._right_name(queue, name, path, inode) if queue in _MESSAGE_QUEUES else name
        if new_name is None:
            return
        target = self._spool.path(queue, new_name)
        if target == path or not move(self._spool, path, target):
            return
        if self._verbose:
            log.info(f"renamed file {path} as {target}")
        if new_name != name:
            for log_queue in LOG_QUEUES:
                move(self._spool, self._spool.path(log_queue, name), self._spool.path(log_queue, new_name))

    def _right_name(self, queue: str, name: str, path: str, inode: int) -> str | None:
        """Return what a message should be called, or None for what is none of ours, which is told of."""
        if name.endswith(_UNFIXED):
            bare = name.removesuffix(_UNFIXED)
            if not is_valid(bare) or inode_of(bare) != inode:
                self._warn(f"name/inode mismatch: {path}")
                return None
            self.names_changed = True
            self.counts.add("s")
            return bare
        number = inode_of(name) if is_valid(name) and len(name) >= _SHORTEST_ID else None
        if number is None or number > _LARGEST_INODE:
            self._warn(f"bogus file name: {path}")
            return None
        if is_long(name):
            if not self._long_ids:
                try:
                    new_name = short_id(long_microseconds(name), inode)
                except ValueError:
                    self._warn(f"bogus file name: {path}")
                    return None
            elif self._with_long_ids and number != inode:
                new_name = long_with_inode(name, inode)
            else:
                return name
        elif number == inode:
            return name
        else:
            new_name = f"{name[:5]}{inode:X}"
        self.names_changed = True
        return new_name + _UNFIXED
