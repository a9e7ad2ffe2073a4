"""Many clients of a test server at once: what smtp-sink(1) and qmqp-sink(1) are made of."""

from __future__ import annotations

import socket

from pyfix.runtime.poll import READ
from pyfix.runtime.pollsocket import PollSocket

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyfix.runtime.poll import Poll


class Client(PollSocket):
    """One client, as far as the socket goes; what it says is for a subclass."""

    __slots__ = ("is_open",)

    def __init__(self, poll: Poll, connection: socket.socket) -> None:
        super().__init__(poll, connection)
        self.is_open = True
        self.watch()

    def received(self, data: bytes) -> None:
        """Called with what the client sends."""
        raise NotImplementedError  # for the subclass

    def left(self, problem: str) -> None:
        """Called when the client is gone; *problem* is empty unless the connection was broken."""
        raise NotImplementedError  # for the subclass

    def pause(self) -> None:
        """Leave in the socket what the client sends, until resume()."""
        # Not just other events to wait for: that the client has left is always told, again and again.
        self.poll.forget(self.fd)

    def resume(self) -> None:
        """Receive again."""
        self.watch()

    def close(self) -> None:
        """Close the connection; nothing is received any more."""
        if self.is_open:
            self.is_open = False
            self.poll.forget(self.fd)
            self._socket.close()

    def arrived(self, data: bytes) -> None:
        """Tell the subclass what came, or that the client is gone."""
        if data:
            self.received(data)
        else:
            self.left("lost connection")


class Server:
    """Sockets that listen, and how many clients there may be at once."""

    def __init__(
        self, poll: Poll, sockets: Sequence[socket.socket], most: int, client: Callable[[socket.socket], object]
    ) -> None:
        """*client* is called with each new connection."""
        self._poll = poll
        self._sockets = sockets
        self._client = client
        self._room = most
        self._is_full = False
        for listening in sockets:
            poll.watch(listening.fileno(), self._acceptor(listening))

    def _acceptor(self, listening: socket.socket) -> Callable[[int], None]:
        def accept(_events: int) -> None:
            while self._room > 0:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                connection.setblocking(False)
                if connection.family != socket.AF_UNIX:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._room -= 1
                self._client(connection)
            self._is_full = True
            for other in self._sockets:
                self._poll.rewatch(other.fileno(), 0)

        return accept

    def ended(self) -> None:
        """Hear that a client is gone: another may come."""
        self._room += 1
        if self._is_full:
            self._is_full = False
            for listening in self._sockets:
                self._poll.rewatch(listening.fileno(), READ)
