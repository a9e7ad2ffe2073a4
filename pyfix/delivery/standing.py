"""Connections on which qmgr(8) may send one delivery request after the other.

pyfix's qmgr(8) asks for that, and uses a connection again when the agent agrees; Postfix's closes it after the answer.
An agent that ends closes the connections on which no request is under way; a request that it has not read is refused
by the kernel (ECONNRESET), so that qmgr(8) knows that nobody has begun with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Final

from pyfix.runtime.loop import READ_EDGE, current

_READ_SIZE: Final = 16384


class StandingConnections:
    """The connections of one agent process that have been answered at least once and are still open."""

    __slots__ = ("_all", "_arrived", "_idle", "_may_read", "_missed", "_serve", "wanted")

    def __init__(self, serve: Callable[[int, bytes], None], may_read: Callable[[], bool]) -> None:
        """*serve* gets a descriptor and what was read of a request; it comes to an end with keep, release or close.

        *may_read* is asked before a request is read; when it says no, the process ends.
        """
        self._serve = serve
        self._may_read = may_read
        self.wanted: set[int] = set()
        """New connections whose clients would like them to stay."""
        self._all: set[int] = set()
        self._idle: set[int] = set()
        """Those on which no request is under way."""
        self._missed: set[int] = set()
        """Those on which something came while one was under way."""
        self._arrived: list[tuple[int, bytes]] = []

    def __contains__(self, fd: int) -> bool:
        return fd in self._all

    def keep(self, fd: int) -> None:
        """Wait for the next request on a connection whose client has its answer."""
        self._idle.add(fd)
        self.wanted.discard(fd)
        if fd not in self._all:
            self._all.add(fd)
            current().watch(fd, READ_EDGE, partial(self._readable, fd))
        elif fd in self._missed:
            self._missed.discard(fd)
            self._readable(fd, 0)

    def release(self, fd: int) -> None:
        """Leave a connection, which may be a new one, to somebody else, who will close it or bring it back."""
        self.wanted.discard(fd)
        if fd in self._all:
            current().unwatch(fd)
            self._all.discard(fd)
            self._missed.discard(fd)

    def close(self, fd: int) -> None:
        """Close a connection, which may be a new one."""
        self.wanted.discard(fd)
        if fd in self._all:
            current().forget(fd)
            self._all.discard(fd)
            self._idle.discard(fd)
            self._missed.discard(fd)
        os.close(fd)

    def close_idle(self) -> None:
        """Close those on which no request is under way, for the process ends."""
        for fd in list(self._idle):
            self.close(fd)

    def _readable(self, fd: int, _event: int) -> None:
        if fd not in self._idle:
            self._missed.add(fd)
        elif self._may_read():
            data = read_request(fd)
            if data == b"":
                self.close(fd)
            elif data is not None:
                self._idle.discard(fd)
                if not self._arrived:
                    current().arrived.append(self._serve_arrived)
                self._arrived.append((fd, data))

    def _serve_arrived(self) -> None:
        """Serve all requests of this turn together, as those of new connections."""
        arrived, self._arrived = self._arrived, []
        for fd, data in arrived:
            self._serve(fd, data)


def read_request(fd: int) -> bytes | None:
    """Return what a client has sent, the whole of most requests; None if nothing yet, b"" if it is gone."""
    try:
        return os.read(fd, _READ_SIZE)
    except BlockingIOError:
        return None
    except OSError:
        return b""
