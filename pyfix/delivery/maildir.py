"""Delivery to a Maildir: a file in tmp, synced, then moved to new.

The name is ``<seconds>.V<device>I<inode>M<microseconds>.<host>``, the one that local(8) and virtual(8) give; the
folders are made when they are missing.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from contextlib import suppress
from itertools import count
from typing import Final

from pyfix.delivery.filebatch import FileTarget
from pyfix.delivery.locks import LockBusy
from pyfix.delivery.outcome import Outcome, Sent
from pyfix.delivery.output import FileProblem, Output, io_problem, write_all
from pyfix.runtime.identity import Owner
from pyfix.runtime.log import log

_DELIVERED: Final = Sent("delivered to maildir")
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_number = count()


class MaildirTarget(FileTarget):
    """One message on its way into a Maildir."""

    def __init__(self, owner: Owner, path: str, output: Output, *, limit: int = 0, default_code: str = "4.2.0") -> None:
        """*path* ends with a slash; *limit* is the largest size of a file, 0 for none.

        *default_code* is for a file that cannot be made: virtual(8) tries again, local(8) gives up with 5.2.0.
        """
        self._default_code = default_code
        self.owner = owner
        self.attempts = 1
        self._folder = path
        self._output = output
        self._limit = limit
        self._fd = -1
        self._temporary = ""
        self._name = ""

    def write(self) -> int:
        """Write the file in tmp.  Raises FileProblem."""
        now = time.time()
        seconds = int(now)
        temporary = f"{self._folder}tmp/{seconds}.P{os.getpid()}Q{next(_number)}.{_host()}"
        self._temporary = temporary
        try:
            try:
                fd = os.open(temporary, _FLAGS, 0o600)
            except FileNotFoundError:
                _make(f"{self._folder}tmp", self.owner.gid)
                fd = os.open(temporary, _FLAGS, 0o600)
        except OSError as error:
            raise self._problem(f"create maildir file {temporary}", error) from error
        self._fd = fd
        try:
            write_all(fd, self._output, mailbox=False, room=self._limit or -1)
            status = os.fstat(fd)
        except FileProblem as failure:
            self._drop()
            raise failure.behind("maildir delivery failed: ") from None
        micros = int((now - seconds) * 1e6)
        self._name = f"{seconds}.V{status.st_dev:x}I{status.st_ino:x}M{micros}.{_host()}"
        return fd

    def publish(self) -> Outcome:
        """Move the file to new."""
        os.close(self._fd)
        self._fd = -1
        final = f"{self._folder}new/{self._name}"
        try:
            try:
                os.rename(self._temporary, final)
            except FileNotFoundError:
                # Nothing is delivered to cur: without it the message still has its place.
                with suppress(OSError):
                    _make(f"{self._folder}cur", self.owner.gid)
                _make(f"{self._folder}new", self.owner.gid)
                os.rename(self._temporary, final)
        except OSError as error:
            self._drop()
            return self._problem(f"create maildir file {final}", error).outcome
        return _DELIVERED

    def sync_failed(self, error: OSError) -> Outcome:
        """Remove the file."""
        self._drop()
        failure = io_problem("maildir delivery failed: error writing message", error, "5.3.0")
        return failure.outcome

    def locked_out(self, busy: LockBusy) -> Outcome:
        """Nothing is locked in a Maildir."""
        raise NotImplementedError from busy  # nobody can hold a lock here

    def _drop(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        try:
            os.unlink(self._temporary)
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning(f"remove {self._temporary}: {error.strerror}")

    def _problem(self, text: str, error: OSError) -> FileProblem:
        failure = io_problem(text, error, self._default_code, diag_text="")
        if error.errno == errno.EACCES:
            identity = f"UID/GID={self.owner.uid}/{self.owner.gid}"
            log.warning(f"maildir access problem for {identity}: {failure.outcome.text}")
            log.warning("perhaps you need to create the maildirs in advance")
        return FileProblem(failure.outcome._replace(text=f"maildir delivery failed: {failure.outcome.text}"))


def _make(folder: str, group: int) -> None:
    """Make *folder*, and those above it that are missing, for its owner only and with *group*.  Raises OSError.

    A set-gid folder above them would give them its own group.
    """
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        return
    except FileNotFoundError:
        _make(os.path.dirname(folder), group)
        os.mkdir(folder, 0o700)
    if os.stat(folder).st_gid != group:
        os.chown(folder, -1, group)


_host_name = ""


def _host() -> str:
    """Return the name of this host, with what may not stand in a file name replaced."""
    global _host_name
    if not _host_name:
        _host_name = (socket.gethostname() or "localhost").replace("/", "\\057").replace(":", "\\072")
    return _host_name
