"""qmqp-sink(1): receive messages by QMQP and throw them away."""

from __future__ import annotations

import os
import socket

from pyfix.formats import netstring
from pyfix.runtime.console import CommandError
from pyfix.runtime.loadtool import Counter, families, listeners, number_at_least, run_tool, tool_options
from pyfix.runtime.log import log
from pyfix.runtime.poll import Poll
from pyfix.runtime.server import Client, Server

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_OPTIONS = "46cvx:"
_USAGE = "[-cv] [-x time] [host]:port backlog"
_MOST = 10000
_LONGEST_LENGTH = 20
_OK = netstring.encode(b"KOk")


class _Delivery(Client):
    """One client with its only message, of which only the length is kept."""

    __slots__ = ("_done", "_left", "_length")

    def __init__(self, poll: Poll, connection: socket.socket, done: Callable[[bool], None]) -> None:
        super().__init__(poll, connection)
        self._length = b""
        self._left = -1
        """Bytes to come, the final comma included; -1 while the length is not known."""
        self._done = done

    def received(self, data: bytes) -> None:
        """Count what comes, and answer when it is all there."""
        if self._left < 0:
            self._length += data
            digits, colon, data = self._length.partition(b":")
            if (digits and not digits.isdigit()) or len(digits) > _LONGEST_LENGTH:
                self.left("netstring format error")
                return
            if not colon:
                return
            self._left = int(digits or b"0") + 1
        self._left -= len(data)
        if self._left <= 0:
            if data[len(data) + self._left - 1 :][:1] != b",":
                self.left("netstring format error")
                return
            self.send(_OK)
            self.close()
            self._done(True)

    def left(self, problem: str) -> None:
        """End the session over *problem*."""
        log.warning(problem)
        self.close()
        self._done(False)


def main(argv: Sequence[str]) -> int:
    """Listen, and receive until the process is ended or its time is over; return the exit status.

    Source: qmqp-sink(1).
    """
    return run_tool("qmqp-sink", lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    options, words = tool_options(argv, _OPTIONS, _USAGE)
    values = dict(options)
    usage = f"usage: {log.tag} {_USAGE}"
    if len(words) != 2:
        raise CommandError(usage)
    try:
        seconds = number_at_least(values.get("x", "0"), 0, usage)
    except CommandError:
        raise CommandError(usage) from None
    poll = Poll()
    counter = Counter("c" in values)
    count = 0

    def done(delivered: bool) -> None:
        nonlocal count
        server.ended()
        if delivered:
            count += 1
            counter.show(str(count))

    def begin(connection: socket.socket) -> None:
        if "v" in values:
            log.info(f"connect ({connection.family.name})")
        _Delivery(poll, connection, done)

    server = Server(poll, listeners(words[0], words[1], families(list(values)), 0), _MOST, begin)
    if seconds:
        poll.later(seconds, poll.stop)
    poll.run()
    return os.EX_OK
