"""The postdrop(1) program as sendmail(1) uses it: it has the right to write to maildrop, and says whether it did.

Source: postdrop(1), sendmail(1).
"""

from __future__ import annotations

import os
import sys
import time

from pyfix.formats.attributes import AttributeListError, decode_pairs, end_of_list
from pyfix.runtime.console import EX_TEMPFAIL, CommandError
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:

    from pyfix.config.snapshot import Snapshot

_BLOCK = 65536
_FORK_DELAY = 10
"""Seconds from one try to have a process to the next, as many as it takes."""
_OK = "0"
_TOO_BIG = "4"


class Postdrop:
    """The postdrop(1) program, which has the right to write to maildrop."""

    def __init__(self, snapshot: Snapshot, who: str) -> None:
        """Start it.  *who* sends is told of in errors.  Raises CommandError."""
        self._who = who
        self._path = path = os.path.join(snapshot.value("command_directory"), "postdrop")
        environment = {**os.environ, "MAIL_CONFIG": snapshot.config_directory}
        to_child, from_us = os.pipe()
        from_child, to_us = os.pipe()
        redirect = [
            (os.POSIX_SPAWN_DUP2, to_child, 0),
            (os.POSIX_SPAWN_DUP2, to_us, 1),
        ]
        sys.stdout.flush()
        while True:
            try:
                self._pid = os.posix_spawn(path, [path, "-r"], environment, file_actions=redirect)
                break
            except BlockingIOError as error:  # no process to be had: whoever sends would not try again
                log.warning(f"fork: {error.strerror}")
                time.sleep(_FORK_DELAY)
            except OSError as error:
                log.fatal(f"execvp {path}: {error.strerror}")
                raise self._not_run(1) from error
        os.close(to_child)
        self._from_child = from_child
        os.close(to_us)
        self._to_child = from_us
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Send records, in large blocks."""
        self._parts.append(data)
        self._size += len(data)
        if self._size >= _BLOCK:
            self._flush()

    def _flush(self) -> None:
        data = memoryview(b"".join(self._parts))
        self._parts, self._size = [], 0
        try:
            while data:
                data = data[os.write(self._to_child, data) :]
        except OSError:
            # Postdrop says on its standard output, or by its exit status, why it reads no more.
            return

    def cancel(self) -> None:
        """Leave without an end record, so that postdrop drops the message."""
        os.close(self._to_child)
        os.waitpid(self._pid, 0)

    def _not_run(self, status: int) -> CommandError:
        log.warning(f'command "{self._path} -r" exited with status {status}')
        return CommandError(f"{self._who}: unable to execute {self._path} -r: Application error", EX_TEMPFAIL)

    def finish(self) -> None:
        """Send the rest and wait for the answer.  Raises CommandError."""
        self._flush()
        os.close(self._to_child)
        answer = b""
        while data := os.read(self._from_child, _BLOCK):
            answer += data
        _pid, status = os.waitpid(self._pid, 0)
        greeting = end_of_list(answer)
        if greeting < 0:
            raise self._not_run(os.waitstatus_to_exitcode(status))
        said = _said(answer[greeting:])
        result = said.get("status", "")
        if result == _OK:
            return
        if status or not result:
            log.warning("mail_stream_cleanup: close error")
        text = "message file too big" if result == _TOO_BIG else "queue file write error"
        raise CommandError(f"{self._who}: {said.get('reason') or text}", EX_TEMPFAIL)


def _said(data: bytes) -> dict[str, str]:
    """Return what postdrop's second attribute list says; nothing when there is none."""
    end = end_of_list(data)
    try:
        return dict(decode_pairs(data[:end])) if end >= 0 else {}
    except AttributeListError:
        return {}
