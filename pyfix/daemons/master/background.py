"""Leaving the terminal, and telling the process that waits there how it went.

Source: master(8) options -d, -i, -s, -w.
"""

from __future__ import annotations

import os
import select
import sys

from pyfix.daemons.master.options import Options
from pyfix.runtime.log import log

_WAIT = 100.0
_READY = b"\0"
_FAILURE = "daemon initialization failure -- see logs for details"


class Waiter:
    """The far end of the pipe to the foreground process of ``master -w``; without one nobody is told."""

    def __init__(self, fd: int | None) -> None:
        self._fd = fd

    @property
    def fd(self) -> int:
        """The descriptor, -1 without one."""
        return -1 if self._fd is None else self._fd

    def ready(self) -> None:
        """The mail system runs."""
        self._tell(_READY)

    def failed(self, text: str) -> None:
        """It does not, because of *text*."""
        self._tell(text.encode("utf-8", "surrogateescape"))

    def _tell(self, message: bytes) -> None:
        if self._fd is not None:
            try:
                os.write(self._fd, message)
            except OSError:
                pass  # whoever waited has gone
            os.close(self._fd)
            self._fd = None


def go_to_background(options: Options) -> Waiter:
    """Fork if -w says so, leave session and terminal; the foreground process does not return from here."""
    waiter = Waiter(None)
    if options.wait:
        read_end, write_end = os.pipe()
        if os.fork():
            os.close(write_end)
            os._exit(_await(read_end))
        os.close(read_end)
        waiter = Waiter(write_end)
    if not options.debug_in_foreground:
        _leave_terminal(options)
    return waiter


def _leave_terminal(options: Options) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        if fd == 1 and (options.keep_stdout or options.init):
            continue
        os.dup2(null, fd)
    if null > 2:
        os.close(null)
    if options.init or os.getsid(0) == os.getpid():
        return
    if os.getpgrp() != os.getpid():
        os.setsid()  # a process group's leader can't, but it has a group of its own already


def _await(fd: int) -> int:
    """Wait for the daemon's word; return the exit status."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    if not poll.poll(_WAIT * 1000):
        print("master: fatal: Connection timed out while waiting for daemon initialization", file=sys.stderr)
        return 1
    message = b""
    while more := os.read(fd, 4096):
        message += more
        if message == _READY:
            return 0
    log.to_stderr(False)
    log.fatal(_FAILURE)
    log.finish()
    print(f"master: fatal: {message.decode('utf-8', 'replace') or _FAILURE}", file=sys.stderr, flush=True)
    return 1
