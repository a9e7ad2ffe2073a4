"""Flow control between those who bring mail and qmgr(8): a pipe full of tokens.

cleanup(8) takes a token for each message that it begins to receive, qmgr(8) puts one in for each message that it takes
into the active queue.  Where there is none, mail arrives faster than it leaves, and the receiver pauses for a moment.
master(8) makes the pipe; its ends are descriptors 3 and 4 of each process.  Source: postconf(5) in_flow_delay.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from pyfix.runtime.child import FLOW_READ, FLOW_WRITE

_TOKEN: Final = b"\0"


class Flow:
    """This process's ends of the pipe."""

    __slots__ = ("_present",)

    def __init__(self) -> None:
        self._present = _is_fifo(FLOW_READ) and _is_fifo(FLOW_WRITE)
        if self._present:
            os.set_blocking(FLOW_READ, False)
            os.set_blocking(FLOW_WRITE, False)

    def take(self, count: int = 1) -> int:
        """Take up to *count* tokens and return how many there were; without a pipe there are always enough."""
        if not self._present:
            return count
        try:
            return len(os.read(FLOW_READ, count))
        except BlockingIOError:
            return 0

    def put(self, count: int = 1) -> None:
        """Put *count* tokens in; those for which the pipe has no room are dropped, as nobody waits then."""
        if not self._present:
            return
        try:
            os.write(FLOW_WRITE, _TOKEN * count)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EPIPE):
                raise


def _is_fifo(fd: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(fd).st_mode)
    except OSError:
        return False
