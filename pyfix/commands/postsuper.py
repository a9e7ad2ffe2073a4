"""postsuper(1): delete, hold, release, requeue and expire messages, and put the queue in order; for the superuser."""

from __future__ import annotations

import errno
import os
import sys
import time

from pyfix.formats.queueid import inode_of, is_long, is_valid, long_microseconds, long_with_inode, short_id
from pyfix.queue.spool import (
    ACTIVE,
    BOUNCE,
    DEFER,
    DEFERRED,
    EXPIRE_BIT,
    FLUSH,
    HOLD,
    INCOMING,
    MAILDROP,
    TRACE,
    Spool,
)
from pyfix.runtime.console import BadOption, CommandError, parse_options, read_settings, run_command
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_USAGE = (
    "usage: postsuper [-c config_dir] [-d queue_id (delete)] [-e queue_id (expire)] "
    "[-f queue_id (expire and/or un-hold)] [-h queue_id (hold)] [-H queue_id (un-hold)] "
    "[-p (purge temporary files)] [-r queue_id (requeue)] "
    "[-s (structure fix)] [-S (redundant structure fix)][-v (verbose)] [queue...]"
)
_MESSAGE_QUEUES = (MAILDROP, INCOMING, ACTIVE, DEFERRED, HOLD)
_LOG_QUEUES = (DEFER, BOUNCE, TRACE)
_KNOWN = (DEFER, BOUNCE, MAILDROP, INCOMING, ACTIVE, DEFERRED, HOLD, FLUSH, TRACE)
_STALE_SECONDS = 7 * 86400
_SHORTEST_ID = 6
"""A file with a shorter name is none of a message."""
_COMPLETE = 0o100


def main(argv: Sequence[str]) -> int:
    """Run postsuper with the arguments after its name; return the exit status.  Source: postsuper(1)."""
    return run_command("postsuper", lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    try:
        options, queues = parse_options(argv, "c:d:e:f:h:H:pr:sSv")
    except BadOption as error:
        print(f"postsuper: {error}", file=sys.stderr)
        raise CommandError(_USAGE) from None
    snapshot = read_settings("postsuper", dict(options).get("c"))
    os.chdir(snapshot.value("queue_directory"))
    if os.getuid() not in (0, os.stat(INCOMING).st_uid):
        raise CommandError("use of this command is reserved for the superuser")
    for queue in queues:
        if queue not in _KNOWN:
            raise CommandError(f"invalid directory name: {queue}")
    os.umask(0o077)
    hashed = snapshot.value("hash_queue_names").replace(",", " ").split()
    long_ids = snapshot.value("enable_long_queue_ids").lower() == "yes"
    keeper = Keeper(Spool(hashed, int(snapshot.value("hash_queue_depth"))), queues, long_ids=long_ids)
    _become_owner(snapshot.value("mail_owner"))
    wanted = {letter: value for letter, value in options if letter in "defhHr"}
    for letter, value in wanted.items():
        keeper.act(letter, value)
    letters = {letter for letter, _value in options}
    if not wanted or letters & set("psS"):
        if "p" in letters or (not letters & set("sS") and not wanted):
            keeper.purge()
        if letters & set("sS") or not ("p" in letters or wanted):
            keeper.fix_structure(with_long_ids="S" in letters)
    keeper.report()
    return 0


def _become_owner(mail_owner: str) -> None:
    """Work with the rights of the files' owner, as the daemons do."""
    if os.getuid() == 0:
        import pwd

        try:
            owner = pwd.getpwnam(mail_owner)
        except KeyError:
            raise CommandError(f"unknown user name: {mail_owner}") from None
        os.setgroups([owner.pw_gid])
        os.setegid(owner.pw_gid)
        os.seteuid(owner.pw_uid)


class Keeper:
    """Acts on the messages of a spool, those in *queues* or (none named) in all queues."""

    def __init__(self, spool: Spool, queues: Sequence[str], *, long_ids: bool) -> None:
        """*long_ids* is postconf(5) enable_long_queue_ids."""
        self._spool = spool
        self._long_ids = long_ids
        self._queues = queues
        self._counts: dict[str, int] = {}
        self._renamed = False

    # One action

    def act(self, letter: str, value: str) -> None:
        """Do what an option asks for a queue id, for those on standard input (-), or for all (ALL)."""
        actions: dict[str, Callable[[str], bool]] = {
            "d": self._delete,
            "e": self._expire,
            "f": self._expire_and_release,
            "h": self._hold,
            "H": self._release,
            "r": self._requeue,
        }
        names = {
            "d": ("Deleted",),
            "e": ("Force-expired",),
            "f": ("Force-expired", "Released from hold"),
            "h": ("Placed on hold",),
            "H": ("Released from hold",),
            "r": ("Requeued",),
        }
        for name in names[letter]:
            self._counts.setdefault(name, 0)
        self._quiet = value == "ALL"
        for queue_id in self._ids(letter, value):
            if not is_valid(queue_id):
                log.warning(f"invalid mail queue id: {queue_id}")
                continue
            try:
                actions[letter](queue_id)
            except OSError as error:
                log.warning(f"{queue_id}: {error.strerror}")

    def _ids(self, letter: str, value: str) -> Iterable[str]:
        if value == "-":
            return [line.strip() for line in sys.stdin]
        if value == "ALL":
            if letter == "H":
                return [queue_id for queue_id, _path in self._files(HOLD)]
            found: list[str] = []
            for queue in self._queues or _MESSAGE_QUEUES:
                if queue in _MESSAGE_QUEUES and not (letter in "he" and queue == HOLD and letter == "h"):
                    found += [queue_id for queue_id, _path in self._files(queue) if is_valid(queue_id)]
            return found
        return [value]

    def _done(self, name: str, queue_id: str, text: str) -> None:
        self._counts[name] += 1
        if not self._quiet:
            log.info(f"{queue_id}: {text}")

    def _candidates(self) -> Sequence[str]:
        return [queue for queue in (self._queues or _MESSAGE_QUEUES) if queue in _MESSAGE_QUEUES]

    def _delete(self, queue_id: str) -> bool:
        found = False
        for queue in self._candidates():
            try:
                os.unlink(self._spool.path(queue, queue_id))
            except FileNotFoundError:
                continue
            found = True
        if found:
            for queue in _LOG_QUEUES:
                try:
                    os.unlink(self._spool.path(queue, queue_id))
                except FileNotFoundError:
                    continue
            self._done("Deleted", queue_id, "removed")
        return found

    def _move(self, queue_id: str, sources: Iterable[str], target: str) -> bool:
        for queue in sources:
            if queue == target:
                continue
            try:
                self._spool.rename(queue_id, queue, target)
            except FileNotFoundError:
                continue
            return True
        return False

    def _hold(self, queue_id: str) -> bool:
        sources = [queue for queue in self._candidates() if queue in (INCOMING, ACTIVE, DEFERRED)]
        if self._move(queue_id, sources, HOLD):
            self._done("Placed on hold", queue_id, "placed on hold")
            return True
        return False

    def _release(self, queue_id: str) -> bool:
        path = self._spool.path(HOLD, queue_id)
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        if self._move(queue_id, [HOLD], DEFERRED):
            self._done("Released from hold", queue_id, "released from hold")
            return True
        return False

    def _requeue(self, queue_id: str) -> bool:
        for queue in self._candidates():
            if queue == MAILDROP:
                continue
            path = self._spool.path(queue, queue_id)
            try:
                os.utime(path)
            except FileNotFoundError:
                continue
            if self._move(queue_id, [queue], MAILDROP):
                self._done("Requeued", queue_id, "requeued")
                return True
        return False

    def _expire(self, queue_id: str) -> bool:
        for queue in self._candidates():
            if queue == MAILDROP:
                continue
            path = self._spool.path(queue, queue_id)
            try:
                mode = os.stat(path).st_mode & 0o7777
            except FileNotFoundError:
                continue
            if mode & EXPIRE_BIT or not mode & _COMPLETE:
                return False
            os.chmod(path, mode | EXPIRE_BIT)
            self._done("Force-expired", queue_id, "expired")
            return True
        return False

    def _expire_and_release(self, queue_id: str) -> bool:
        expired = self._expire(queue_id)
        return self._release(queue_id) or expired

    # The whole spool

    def _files(self, queue: str) -> Iterator[tuple[str, str]]:
        folders = [(self._spool.folder(queue), 2)]
        while folders:
            folder, depth = folders.pop()
            try:
                entries = list(os.scandir(folder))
            except OSError:
                continue
            for entry in entries:
                if depth and entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, depth - 1))
                elif entry.is_file(follow_symlinks=False):
                    yield entry.name, entry.path

    def purge(self) -> None:
        """Remove files that a crash left half-written."""
        now = time.time()
        for queue in (MAILDROP, INCOMING, ACTIVE):
            for name, path in self._files(queue):
                if is_valid(name) and "." not in name:
                    continue
                try:
                    if os.stat(path).st_mtime < now - _STALE_SECONDS:
                        os.unlink(path)
                        log.info(f"removed stale file {path}")
                except OSError:
                    continue

    def fix_structure(self, *, with_long_ids: bool = False) -> None:
        """Put each file into the folder where hash_queue_names and hash_queue_depth expect it.

        A file whose id does not say its inode number, as after a restore from a backup, gets a new id; so does one
        with a long id when there shall be none.  Other long ids, which are unique without it, are looked at only
        *with_long_ids*.
        """
        renamed = 0
        for queue in self._queues or _KNOWN:
            for name, path in list(self._files(queue)):
                if queue in _MESSAGE_QUEUES and len(name) < _SHORTEST_ID:
                    log.warning(f"bogus file name: {os.path.relpath(path)}")
                    continue
                if not is_valid(name):
                    continue
                new_name = self._fitting_id(queue, name, path, with_long_ids)
                target = self._spool.path(queue, new_name)
                if target == path:
                    continue
                try:
                    self._spool.make_folders(target)
                    os.rename(path, target)
                except (NotADirectoryError, FileExistsError) as error:  # a file in the place of a folder
                    raise CommandError(
                        f"scan_dir_push: open directory {os.path.relpath(path)}: {os.strerror(errno.ENOTDIR)}"
                    ) from error
                if new_name != name:
                    renamed += 1
                    for log_queue in _LOG_QUEUES:
                        self._rename_log(log_queue, name, new_name)
        if renamed:
            self._counts["Renamed to match inode number"] = renamed
            self._renamed = True

    def _fitting_id(self, queue: str, name: str, path: str, with_long_ids: bool) -> str:
        if queue not in _MESSAGE_QUEUES:
            return name
        status = os.stat(path)
        if is_long(name) and not self._long_ids:
            try:
                return short_id(long_microseconds(name), status.st_ino)
            except ValueError:
                return name
        if is_long(name) and not with_long_ids:
            return name
        if inode_of(name) in (None, status.st_ino):
            return name
        if is_long(name):
            return long_with_inode(name, status.st_ino)
        return f"{name[:5]}{status.st_ino:X}"

    def _rename_log(self, queue: str, name: str, new_name: str) -> None:
        old = self._spool.path(queue, name)
        if os.path.exists(old):
            new = self._spool.path(queue, new_name)
            self._spool.make_folders(new)
            os.rename(old, new)

    def report(self) -> None:
        """Log how many messages each action was done to."""
        for name, count in self._counts.items():
            log.info(f"{name}: {count} message{'' if count == 1 else 's'}")
        if self._renamed:
            log.warning("QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS")
