"""Requests to the delivery agents of one transport, from qmgr(8)'s side.

A request is sent as soon as there is a connection, without waiting for the agent's greeting; an agent that has not
taken the connection yet finds it complete.  Agents of pyfix leave the connection open for the next request; those of
Postfix close it after the first.
"""

from __future__ import annotations

import select
import socket
from _socket import socket as _Socket
from collections.abc import Callable
from typing import Final

from pyfix.formats.attributes import AttributeListError, decode_pairs, end_of_list
from pyfix.protocols.internal.delivery import PROTOCOL, DeliveryReply
from pyfix.protocols.internal.standing import STAYS
from pyfix.runtime.ipc import handshake
from pyfix.runtime.log import log
from pyfix.runtime.loop import READ_EDGE, WRITE_EDGE, current

_HANDSHAKE: Final = handshake(PROTOCOL)
FINAL: Final = DeliveryReply()
"""The usual reply: all recipients are finished."""
_FINAL_BYTES: Final = FINAL.encode()
_FIRST_FINAL_BYTES: Final = _HANDSHAKE + _FINAL_BYTES + STAYS
_READ_SIZE: Final = 2048
_FAMILY: Final = int(socket.AF_UNIX)
_KIND: Final = int(socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
_HANGUP: Final = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_INPUT: Final = select.EPOLLIN | _HANGUP
_MOST_IDLE: Final = 50

Done = Callable[[DeliveryReply | str], None]
"""Gets the reply, or the reason why there is none."""


class AgentsBusy(Exception):
    """The listen queue of a transport is full: all its processes are at work."""


class Agents:
    """The agents that listen on one socket."""

    __slots__ = ("_idle", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._idle: list[_Connection] = []

    def ask(self, request: bytes, done: Done, timeout: float) -> None:
        """Send *request*; *done* is called later, within *timeout* seconds.

        Raises AgentsBusy, or OSError when there is no such service.
        """
        while self._idle:
            connection = self._idle.pop()
            if connection.send(request, done, timeout):
                return
        _Connection(self).send_first(request, done, timeout)

    def keep(self, connection: _Connection) -> bool:
        """Keep a connection whose request was answered for the next one; tell whether there was room."""
        if len(self._idle) >= _MOST_IDLE:
            return False
        self._idle.append(connection)
        return True

    def forget(self, connection: _Connection) -> None:
        """Drop a connection whose agent has left."""
        if connection in self._idle:
            self._idle.remove(connection)


class _Connection:
    """A connection to one agent, with at most one request under way."""

    __slots__ = ("_agents", "_data", "_done", "_fd", "_loop", "_request", "_rest", "_socket", "_used", "deadline")

    def __init__(self, agents: Agents) -> None:
        """Connect.  Raises AgentsBusy, OSError."""
        # What stands below socket.socket: its constructor and its close take longer than the system calls.
        self._socket = connection = _Socket(_FAMILY, _KIND, 0)
        try:
            connection.connect(agents.path)
        except BlockingIOError:
            connection.close()
            raise AgentsBusy(agents.path) from None
        except OSError:
            connection.close()
            raise
        self._agents = agents
        self._fd = connection.fileno()
        self._loop = current()
        self._request = b""
        self._rest = b""
        self._data = b""
        self._done: Done | None = None
        self._used = False
        """An earlier request was answered, and the agent said that it stays."""
        self.deadline = 0.0

    def send_first(self, request: bytes, done: Done, timeout: float) -> None:
        """Send the first request.  Raises OSError."""
        request += STAYS
        log.send_gathered()
        try:
            sent = self._socket.send(request)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._socket.close()
            raise
        self._await_answer(request, sent, done, timeout)
        self._loop.watch(self._fd, WRITE_EDGE if self._rest else READ_EDGE, self._event)

    def send(self, request: bytes, done: Done, timeout: float) -> bool:
        """Send another request; tell whether the agent was still there."""
        # Who reads the log counts on it that what qmgr(8) says of a message stands before what the agent says.
        log.send_gathered()
        try:
            sent = self._socket.send(request)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close()
            return False
        self._await_answer(request, sent, done, timeout)
        if self._rest:
            self._loop.rewatch(self._fd, WRITE_EDGE)
        return True

    def _await_answer(self, request: bytes, sent: int, done: Done, timeout: float) -> None:
        self._request = request
        self._rest = request[sent:] if sent < len(request) else b""
        self._done = done
        self._loop.expire_at(self, self._loop.now + timeout)

    def _event(self, event: int) -> None:
        if self._rest and event & select.EPOLLOUT:
            self._send_rest()
        if not event & _INPUT:
            return
        while True:
            try:
                data = self._socket.recv(_READ_SIZE)
            except BlockingIOError:
                return
            except ConnectionResetError as error:
                # An agent that ends without having read what is there: nobody has begun with the request.
                if self._used and self._done is not None:
                    self._ask_again(self._done)
                else:
                    self._end(error.strerror or "error")
                return
            except OSError as error:
                self._end(error.strerror or "error")
                return
            if not self._data and data == (_FINAL_BYTES if self._used else _FIRST_FINAL_BYTES):
                self._answered(FINAL, stays=not event & _HANGUP)
                return
            if not data:
                self._end("unexpected end-of-input")
                return
            self._data += data
            try:
                parsed = self._parse()
            except AttributeListError as error:
                self._end(str(error))
                return
            if parsed is not None:
                reply, stays = parsed
                self._answered(reply, stays=stays and not event & _HANGUP)
                return

    def _send_rest(self) -> None:
        try:
            while self._rest:
                self._rest = self._rest[self._socket.send(self._rest) :]
        except BlockingIOError:
            return
        except OSError:
            self._rest = b""  # The end of input, which follows, says it.

    def _parse(self) -> tuple[DeliveryReply, bool] | None:
        """Return the reply in what has come and whether the agent stays, None while it is incomplete.

        Raises AttributeListError.
        """
        data, start = self._data, 0
        if not self._used:
            start = end_of_list(data)
            if start < 0:
                return None
            if data[:start] != _HANDSHAKE:
                pairs = decode_pairs(data[:start])
                if not pairs or pairs[0] != ("protocol", PROTOCOL):
                    raise AttributeListError(f"unexpected protocol {pairs[:1]}")
        end = end_of_list(data, start)
        return (DeliveryReply.decode(data[start:end]), self._used or data[end:] == STAYS) if end >= 0 else None

    def expired(self) -> None:
        """Called by the loop when the agent has not answered in time."""
        self._end("timeout receiving delivery status")

    def _ask_again(self, done: Done) -> None:
        request, timeout = self._request, max(self.deadline - self._loop.now, 0.0)
        self._close()
        try:
            self._agents.ask(request, done, timeout)
        except (AgentsBusy, OSError) as error:
            done(str(error))

    def _answered(self, reply: DeliveryReply, *, stays: bool) -> None:
        done = self._done
        if done is None:
            self._close()  # Nobody has asked.
            return
        self._loop.expire_never(self)
        self._done = None
        self._data = self._request = b""
        self._used = True
        if not stays or self._rest or not self._agents.keep(self):
            self._close()
        done(reply)

    def _end(self, problem: str) -> None:
        done = self._done
        self._close()
        if done is not None:
            done(problem)

    def _close(self) -> None:
        self._loop.expire_never(self)
        self._agents.forget(self)
        self._loop.forget(self._fd)
        self._socket.close()
        self._done = None
