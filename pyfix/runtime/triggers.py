"""Daemons that are woken: pickup(8) and qmgr(8).  Their clients write a few bytes to a socket or a FIFO, and leave.

Source: master(5), the types unix and fifo.
"""

from __future__ import annotations

import os
import socket
import stat
from _socket import socket as _Socket
from collections.abc import Callable

from pyfix.runtime.daemon import ACCEPT_BURST, Daemon
from pyfix.runtime.stream import Stream

_MOST_REQUESTS = 100


class TriggerDaemon(Daemon):
    """A server whose clients write a few bytes and expect no answer: pickup(8), qmgr(8)."""

    capacity = 100
    pinned = False
    transports = Daemon.transports | {"fifo"}

    def triggered(self, requests: bytes) -> None:
        """Act on the bytes that one or more clients wrote."""
        raise NotImplementedError  # for the subclass

    def listener(self, fd: int) -> socket.socket:
        """Wrap a listening socket, or a FIFO, which is not one."""
        if stat.S_ISFIFO(os.fstat(fd).st_mode):
            return _Fifo(fd)
        return super().listener(fd)

    def accepter(self, listener: socket.socket) -> Callable[[int], None]:
        """Return the handler: a FIFO is read, a socket's clients are read at once where they have written already."""
        if isinstance(listener, _Fifo):
            return self._read_fifo

        take = listener._accept  # type: ignore[attr-defined]  # accept() without the object; typeshed leaves it out
        loop = self.loop

        def accept(_event: int) -> None:
            requests = b""
            for _ in range(ACCEPT_BURST if loop.batching else 1):
                try:
                    fd, _address = take()
                except OSError:
                    break
                os.set_blocking(fd, False)
                try:
                    data = os.read(fd, _MOST_REQUESTS)
                except BlockingIOError:
                    self.admit(_Socket(fileno=fd))
                    continue
                except OSError:
                    data = b""
                os.close(fd)
                requests += data
            if requests:
                self.triggered(requests)
                self.prove()
            if not self._clients:
                self._idle_from_now()

        return accept

    def _read_fifo(self, _event: int) -> None:
        for listener in self._listeners:
            try:
                data = os.read(listener.fileno(), 1024)
            except BlockingIOError:
                continue
            if data:
                self.triggered(data)

    async def serve(self, stream: Stream) -> None:
        """Wait for the bytes of a client that connects before it writes."""
        data = await stream.read()
        if data:
            self.triggered(data)


class _Fifo(socket.socket):
    """A FIFO in the place of a listening socket."""

    def __init__(self, fd: int) -> None:
        super().__init__(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._fifo = fd

    def fileno(self) -> int:
        """Return the FIFO's descriptor."""
        return self._fifo
