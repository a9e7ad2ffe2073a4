"""Asking name servers on the event loop: datagrams, and TCP for what does not fit into one.

What an answer must be to be taken for one, how long each server is waited for, and when the next is asked, are those
of the C library's resolver.  Source: RFC 1035 section 4.2; RFC 7766; resolv.conf(5).
"""

from __future__ import annotations

import select
import socket
from typing import Final

from pyfix.runtime.loop import current
from pyfix.runtime.resolvconf import NameServer, ResolverConfiguration
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import Waiter

__all__ = ["ask_servers"]

_HEADER: Final = 12
_ID: Final = slice(0, 2)
_MOST_UDP: Final = 65535
_RESPONSE: Final = 0x80
_TRUNCATED: Final = 0x02
_AUTHORITATIVE: Final = 0x04
_RECURSION: Final = 0x80
_RCODE: Final = 0x0F
_FORMAT_ERROR: Final = 1
_UNHELPFUL: Final = (2, 4, 5)
"""SERVFAIL, NOTIMP, REFUSED: another server may know more."""


async def ask_servers(query: bytes, question: bytes, configuration: ResolverConfiguration, first: int) -> bytes | None:
    """Return the answer of the first server that has a useful one, or None when none has.

    *query*: the message; *question*: its question section.  *first*: the position of the server to begin with.
    """
    servers = configuration.servers
    for _ in range(configuration.attempts):
        for position in range(len(servers)):
            server = servers[(first + position) % len(servers)]
            seconds = configuration.seconds(position)
            reply = None if configuration.tcp else await _ask_by_datagram(server, query, question, seconds)
            if configuration.tcp or (reply is not None and reply[2] & _TRUNCATED):
                reply = await _ask_by_stream(server, query, question, seconds)
            if reply is not None and not _is_unhelpful(reply):
                return reply
    return None


def _is_unhelpful(reply: bytes) -> bool:
    rcode = reply[3] & _RCODE
    if rcode:
        return rcode in _UNHELPFUL
    # A referral, from a server that will not ask others for us.
    answers, more = reply[6:8], reply[10:12]
    return not any(answers) and not any(more) and not reply[2] & _AUTHORITATIVE and not reply[3] & _RECURSION


def _answers(reply: bytes, query: bytes, question: bytes) -> bool:
    """Say whether *reply* is an answer to *query*, and not somebody else's."""
    if len(reply) < _HEADER or reply[_ID] != query[_ID] or not reply[2] & _RESPONSE:
        return False
    if reply[3] & _RCODE == _FORMAT_ERROR and reply[4:6] == b"\0\0":
        return True  # what such a server did not understand it does not repeat
    return reply[_HEADER : _HEADER + len(question)].lower() == question.lower()


class _Datagrams:
    """A datagram socket whose user waits in the event loop."""

    __slots__ = ("_socket", "_waiter", "deadline")

    def __init__(self, server: NameServer) -> None:
        self.deadline = 0.0
        self._waiter: Waiter[bool] | None = None
        self._socket = socket.socket(server.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            self._socket.connect(server.address)
        except OSError:
            self._socket.close()
            raise
        current().watch(self._socket.fileno(), select.EPOLLIN, self._event)

    def send(self, data: bytes) -> None:
        self._socket.send(data)

    async def receive(self) -> bytes | None:
        """Return the next datagram, None after the deadline.  Raises OSError."""
        while True:
            try:
                return self._socket.recv(_MOST_UDP)
            except BlockingIOError:
                pass
            self._waiter = Waiter()
            current().expire_at(self, self.deadline)
            if not await self._waiter:
                return None

    def _event(self, _event: int) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.wake(True)

    def expired(self) -> None:
        """The deadline is over."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.wake(False)

    def close(self) -> None:
        loop = current()
        loop.expire_never(self)
        loop.unwatch(self._socket.fileno())
        self._socket.close()


async def _ask_by_datagram(server: NameServer, query: bytes, question: bytes, seconds: float) -> bytes | None:
    try:
        datagrams = _Datagrams(server)
    except OSError:
        return None
    try:
        datagrams.deadline = current().now + seconds
        datagrams.send(query)
        while (reply := await datagrams.receive()) is not None:
            if _answers(reply, query, question):
                return reply
    except OSError:
        pass  # nobody listens there
    finally:
        datagrams.close()
    return None


async def _ask_by_stream(server: NameServer, query: bytes, question: bytes, seconds: float) -> bytes | None:
    try:
        connection = socket.socket(server.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    except OSError:
        return None
    connection.connect_ex(server.address)  # what comes of it is told by the first write
    stream = Stream(connection, seconds)
    try:
        stream.write(len(query).to_bytes(2, "big") + query)
        await stream.drain()
        data = b""
        while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
            more = await stream.read()
            if not more:
                return None
            data += more
    except (StreamTimeout, StreamClosed):
        return None
    finally:
        stream.close()
    reply = data[2 : 2 + int.from_bytes(data[:2], "big")]
    return reply if _answers(reply, query, question) else None
