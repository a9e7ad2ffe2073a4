"""A connection of a load tool: what the kernel does not take at once is sent later.

What smtp-source(1), smtp-sink(1) and their QMQP relatives have in common.
"""

from __future__ import annotations

import socket

from pyfix.runtime.poll import READ, WRITE

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from pyfix.runtime.poll import Poll

_READ_SIZE = 65536


class PollSocket:
    """One connection, as far as the socket goes; what comes is for a subclass."""

    __slots__ = ("_receive", "_rest", "_send", "_socket", "fd", "poll")

    def __init__(self, poll: Poll, connection: socket.socket) -> None:
        self.poll = poll
        self._socket = connection
        self.fd = connection.fileno()
        self._receive = connection.recv
        self._send = connection.send
        self._rest = b""

    def arrived(self, data: bytes) -> None:
        """Called with what the other end sends, b"" when it is gone."""
        raise NotImplementedError  # for the subclass

    def watch(self) -> None:
        """Receive from now on."""
        self.poll.watch(self.fd, self._event, READ | WRITE if self._rest else READ)

    def send(self, data: bytes) -> None:
        """Send *data*, later what the kernel does not take now."""
        if self._rest:
            self._rest += data
            return
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # The end of input, which follows, says it.
        if sent < len(data):
            self._rest = data[sent:]
            self.poll.rewatch(self.fd, READ | WRITE)

    def _event(self, event: int) -> None:
        if self._rest and event & WRITE:
            self._send_rest()
        if not event & ~WRITE:
            return
        try:
            data = self._receive(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.arrived(data)

    def _send_rest(self) -> None:
        try:
            self._rest = self._rest[self._send(self._rest) :]
        except BlockingIOError:
            return
        except OSError:
            self._rest = b""
        if not self._rest:
            self.poll.rewatch(self.fd, READ)
