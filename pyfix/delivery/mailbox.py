"""Delivery to a mailbox file in mbox format, with its locks.

Several messages of one turn go into the file under one lock and one sync.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import Final

from pyfix.config.errors import ConfigError
from pyfix.delivery.filebatch import FileTarget
from pyfix.delivery.locks import LockBusy, lock_file, release_dotlock, take_dotlock
from pyfix.delivery.outcome import Outcome, Sent
from pyfix.delivery.output import FileProblem, Output, io_problem, problem, write_all
from pyfix.runtime.identity import Owner
from pyfix.runtime.log import log

_DELIVERED: Final = Sent("delivered to mailbox")
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
_EXECUTABLE: Final = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


@dataclass(frozen=True, slots=True)
class MailboxRules:
    """How mailbox files are treated; one for all of an agent's."""

    locks: frozenset[str]
    limit: int
    """Largest size of a mailbox in bytes, 0 or less for none."""
    stale_lock_time: int
    lock_attempts: int
    strict_ownership: bool
    """Refuse a mailbox that somebody else than the recipient owns."""
    by_table: bool = False
    """A table of the administrator's names the mailboxes: what is wrong with one is not told to senders."""
    default_code: str = "4.2.0"
    """For a mailbox that cannot be opened: virtual(8) tries again, local(8) gives up with 5.2.0."""
    any_file: bool = False
    """A user has named the file: it may be a device, but no program, and may lie where no lock file can be made."""


class _OpenMailbox:
    """A mailbox that is open and locked, and how many messages of this turn are in it."""

    __slots__ = ("dotlock", "fd", "regular", "start", "users")

    def __init__(self, fd: int, start: int, dotlock: bool, regular: bool) -> None:
        self.fd = fd
        self.start = start
        self.dotlock = dotlock
        self.regular = regular
        self.users = 0


class MailboxTarget(FileTarget):
    """One message on its way into a mailbox file."""

    def __init__(
        self,
        owner: Owner,
        path: str,
        output: Output,
        store: MailboxStore,
        *,
        file_owner: Owner | None = None,
        prefix: str = "",
        delivered: Outcome = _DELIVERED,
    ) -> None:
        """*file_owner* owns the file where *owner* is only whose rights are needed to make it.

        *prefix* comes before the text of a failure; *delivered* is the outcome of a success.
        """
        rules = store.rules
        self.owner = owner
        self.attempts = rules.lock_attempts
        self._path = path
        self._output = output
        self._rules = rules
        self._open = store.open_mailboxes
        self._file_owner = file_owner or owner
        self.start = 0
        """Where in the file the message begins."""
        self._prefix = prefix or f"delivery failed to mailbox {path}: "
        self._delivered = delivered
        self._key = (owner, path)
        """Two users may name the same file: each has it open with his own rights."""

    def write(self) -> int:
        """Lock the mailbox and append the message.  Raises FileProblem, LockBusy."""
        try:
            mailbox = self._open.get(self._key)
            if mailbox is None:
                mailbox = self._open_and_lock()
                self._open[self._key] = mailbox
            mailbox.users += 1
            self._append(mailbox)
        except FileProblem as failure:
            raise failure.behind(self._prefix) from None
        return mailbox.fd if mailbox.regular else -1

    def _append(self, mailbox: _OpenMailbox) -> None:
        # Only the first message of a turn finds the file as long as it was when it was locked.
        if not mailbox.regular:
            write_all(mailbox.fd, self._output, mailbox=True, room=-1)
            return
        size = self.start = mailbox.start if mailbox.users == 1 else os.lseek(mailbox.fd, 0, os.SEEK_END)
        limit = self._rules.limit
        try:
            write_all(mailbox.fd, self._output, mailbox=True, room=max(limit - size, 0) if limit > 0 else -1)
        except FileProblem:
            _truncate(mailbox.fd, size)
            self._release()
            raise

    def _open_and_lock(self) -> _OpenMailbox:
        path, rules = self._path, self._rules
        dotlock = False
        if "dotlock" in rules.locks:
            try:
                dotlock = take_dotlock(path, rules.stale_lock_time)
            except LockBusy:
                if not _is_special(path):
                    raise
            except OSError as error:
                text = f"unable to create lock file {path}.lock"
                if rules.any_file:
                    if not _is_special(path):
                        log.warning(f"{text}: {error.strerror}")
                elif not _is_special(path):
                    raise io_problem(text, error, rules.default_code, diag_text="") from error
        fd = -1
        try:
            fd, mode = self._open_file()
            if not stat.S_ISREG(mode):
                return _OpenMailbox(fd, 0, dotlock, regular=False)
            lock_file(fd, rules.locks)
            return _OpenMailbox(fd, os.lseek(fd, 0, os.SEEK_END), dotlock, regular=True)
        except BaseException as error:
            if fd >= 0:
                os.close(fd)
            if dotlock:
                release_dotlock(path)
            if isinstance(error, OSError):
                text = "unable to lock for exclusive access"
                raise io_problem(text, error, rules.default_code, diag_text="") from error
            raise

    def _open_file(self) -> tuple[int, int]:
        """Return the descriptor of the file, and its mode.  Raises FileProblem."""
        path, owner = self._path, self._file_owner
        text = "cannot open file"
        try:
            try:
                fd = os.open(path, _FLAGS | os.O_NOFOLLOW)
            except FileNotFoundError:
                text = "cannot create file exclusively"
                fd = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
                if owner.uid != self.owner.uid:
                    os.fchown(fd, owner.uid, owner.gid)
        except OSError as error:
            if error.errno == errno.ELOOP or (error.errno == errno.EEXIST and os.path.islink(path)):
                return self._open_link(path)
            raise io_problem(text, error, self._rules.default_code, diag_text="") from error
        return fd, self._checked(fd, path)

    def _checked(self, fd: int, path: str) -> int:
        """Return the mode of a file that mail may go into; close it where it may not.  Raises FileProblem."""
        status = os.fstat(fd)
        try:
            self._check(status, path)
        except FileProblem:
            os.close(fd)
            raise
        return status.st_mode

    def _open_link(self, path: str) -> tuple[int, int]:
        """Open a mailbox that is a symbolic link: only one of root's is followed, where only root can make one."""
        try:
            fd = os.open(path, _FLAGS)
            link, folder = os.lstat(path), os.stat(os.path.dirname(path))
            if link.st_uid or folder.st_uid or folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                os.close(fd)
                raise problem("file is a symbolic link", self._rules.default_code)
        except OSError as error:
            raise io_problem("cannot open file", error, self._rules.default_code, diag_text="") from error
        return fd, self._checked(fd, path)

    def _check(self, status: os.stat_result, path: str) -> None:
        if status.st_nlink != 1:
            raise problem(f"file has {status.st_nlink} hard links", self._rules.default_code)
        if self._rules.any_file:
            if stat.S_ISREG(status.st_mode) and status.st_mode & _EXECUTABLE:
                raise problem("file is executable", "5.7.1")
            return
        if not stat.S_ISREG(status.st_mode):
            text = f"destination {path} is not a regular file"
            if not self._rules.by_table:
                raise problem(text, "5.2.0")
            log.warning(f"recipient {self._output.delivered_to.lower()}: {text}")
            raise problem("mail system configuration error", "5.3.5")
        if self._rules.strict_ownership and status.st_uid != self._file_owner.uid:
            log.warning('specify "strict_mailbox_ownership = no" to ignore mailbox ownership mismatch')
            raise problem(f"destination {path} is not owned by recipient", "4.2.0")

    def publish(self) -> Outcome:
        """Give up the locks."""
        self._release()
        return self._delivered

    def sync_failed(self, error: OSError) -> Outcome:
        """Cut off what was written in this turn."""
        mailbox = self._open.get(self._key)
        if mailbox is not None:
            _truncate(mailbox.fd, mailbox.start)
            self._release()
        return io_problem(f"{self._prefix}error writing message", error, "5.3.0").outcome

    def locked_out(self, busy: LockBusy) -> Outcome:
        """Defer: somebody else holds the lock."""
        return problem(f"{self._prefix}{busy.text}: {busy.error.strerror}", "4.2.0").outcome

    def _release(self) -> None:
        mailbox = self._open.get(self._key)
        if mailbox is None:
            return
        mailbox.users -= 1
        if mailbox.users <= 0:
            del self._open[self._key]
            os.close(mailbox.fd)
            if mailbox.dotlock:
                release_dotlock(self._path)


class MailboxStore:
    """The mailboxes of one process: how they are treated, and which are open in this turn."""

    def __init__(self, rules: MailboxRules) -> None:
        self.rules = rules
        self.open_mailboxes: dict[tuple[Owner, str], _OpenMailbox] = {}

    def target(
        self,
        owner: Owner,
        path: str,
        output: Output,
        *,
        file_owner: Owner | None = None,
        prefix: str = "",
        delivered: Outcome = _DELIVERED,
    ) -> MailboxTarget:
        """Return what delivers *output* to the mailbox at *path*; see MailboxTarget for the rest."""
        return MailboxTarget(owner, path, output, self, file_owner=file_owner, prefix=prefix, delivered=delivered)


def check_size_limit(name: str, limit: int, message_size_limit: int) -> None:
    """Check that a mailbox can hold a message of the largest size.  Raises ConfigError."""
    if limit > 0:
        if message_size_limit <= 0:
            raise ConfigError(f"configuration error: {name} is limited but message_size_limit is unlimited")
        if limit < message_size_limit:
            raise ConfigError(f"configuration error: {name} is smaller than message_size_limit")


def _is_special(path: str) -> bool:
    """Tell whether something that is no regular file is there, which is opened, in vain, without a lock file."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _truncate(fd: int, size: int) -> None:
    try:
        os.ftruncate(fd, size)
    except OSError as error:
        log.warning(f"truncate mailbox: {error.strerror}")
