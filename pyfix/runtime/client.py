"""Many clients at once, each a generator read from top to bottom.

What smtp-source(1) and qmqp-source(1) are made of.
"""

from __future__ import annotations

import os
import random
import socket

from pyfix.runtime.console import CommandError
from pyfix.runtime.loadtool import begin_connect
from pyfix.runtime.poll import WRITE
from pyfix.runtime.pollsocket import PollSocket

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pyfix.runtime.loadtool import Address
    from pyfix.runtime.poll import Poll

    Dialogue = Generator[None, bytes | None, None]
    """Gets the bytes that came, b"" when the server has left, None after a pause; its end is that of the connection."""

_PAUSE = 0.01


class Connection(PollSocket):
    """One connection of a client."""

    __slots__ = ("resume",)

    def __init__(self, poll: Poll, connection: socket.socket) -> None:
        super().__init__(poll, connection)
        self.resume: Callable[[bytes | None], None]
        """Lets the dialogue go on."""

    def begin(self, dialogue: Dialogue) -> None:
        """Let *dialogue* go on with all that comes from now on."""
        next(dialogue, None)
        self.resume = dialogue.send
        self.watch()

    def arrived(self, data: bytes) -> None:
        """Let the dialogue go on, to its end perhaps."""
        try:
            self.resume(data)
        except StopIteration:
            self.poll.forget(self.fd)
            self._socket.close()


class Clients:
    """Connections side by side, until so many messages are under way as were asked for."""

    def __init__(self, poll: Poll, address: Address, *, window: int, tries: int, messages: int) -> None:
        """*tries*: connects before one that is refused is fatal.  *messages*: how many are to be sent in all."""
        self.poll = poll
        self._address = address
        self._window = window
        self._tries = tries
        self.fixed_delay = self.random_delay = 0
        """Seconds between messages."""
        self.left = messages
        """Messages that nobody has begun to send."""
        self.talk: Callable[[Connection], Dialogue]
        """Makes the dialogue of a new connection."""

    def start(self, count: int) -> None:
        """Begin with *count* connections."""
        for _ in range(count):
            self.another()

    def another(self) -> None:
        """Connect for the next message, if there is one, after the pause between messages."""
        if self.left > 0:
            self.left -= 1
            delay = self.delay()
            if delay:
                self.poll.later(delay, self._connect)
            else:
                self._connect()

    def delay(self) -> int:
        """Return how many seconds to wait before the next message."""
        return self.fixed_delay or (random.randint(0, self.random_delay) if self.random_delay else 0)

    def _connect(self, tries: int = 1) -> None:
        try:
            connection = begin_connect(self._address, self._window)
        except OSError as error:
            self._refused(error, tries)
            return
        if _is_connected(connection):
            self._begin(connection)
            return
        fd = connection.fileno()

        def connected(_events: int) -> None:
            self.poll.forget(fd)
            problem = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                connection.close()
                self._refused(OSError(problem, os.strerror(problem)), tries)
                return
            self._begin(connection)

        self.poll.watch(fd, connected, WRITE)

    def _begin(self, connection: socket.socket) -> None:
        client = Connection(self.poll, connection)
        client.begin(self.talk(client))

    def _refused(self, error: OSError, tries: int) -> None:
        if tries >= self._tries:
            raise CommandError(f"connect: {error.strerror}") from None
        self.poll.later(_PAUSE, lambda: self._connect(tries + 1))


def _is_connected(connection: socket.socket) -> bool:
    """Tell whether a connection is made already, as it is at once on the same machine, whatever connect(2) says."""
    try:
        connection.getpeername()
    except OSError:
        return False
    return True
