"""A request to a delivery agent, from qmgr(8)'s side: one connection for each.

The request is sent as soon as the connection is there, without waiting for the agent's greeting; an agent that has
not taken the connection yet finds it complete.
"""

from __future__ import annotations

import select
import socket
from _socket import socket as _Socket
from collections.abc import Callable
from typing import Final

from pyfix.formats.attributes import AttributeListError, decode_pairs, end_of_list
from pyfix.protocols.internal.delivery import PROTOCOL, DeliveryReply
from pyfix.runtime.ipc import handshake
from pyfix.runtime.loop import READ_EDGE, WRITE_EDGE, current

_HANDSHAKE: Final = handshake(PROTOCOL)
_FINAL: Final = DeliveryReply()
_FINAL_BYTES: Final = _HANDSHAKE + _FINAL.encode()
_READ_SIZE: Final = 2048
_FAMILY: Final = int(socket.AF_UNIX)
_KIND: Final = int(socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
_INPUT: Final = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


class AgentsBusy(Exception):
    """The listen queue of a transport is full: all its processes are at work."""


class DeliveryCall:
    """One request under way.  *done* gets the reply, or the reason why there is none."""

    __slots__ = ("_data", "_done", "_fd", "_loop", "_rest", "_socket", "deadline")

    def __init__(
        self, path: str, request: bytes, done: Callable[[DeliveryReply | str], None], timeout: float
    ) -> None:
        """Connect to the agent's socket at *path* and send *request*.

        Raises AgentsBusy, or OSError when there is no such service.
        """
        # What stands below socket.socket: its constructor and its close take longer than the system calls.
        connection = _Socket(_FAMILY, _KIND, 0)
        try:
            connection.connect(path)
            sent = connection.send(request)
        except BlockingIOError:
            connection.close()
            raise AgentsBusy(path) from None
        except OSError:
            connection.close()
            raise
        self._socket = connection
        self._fd = fd = connection.fileno()
        self._done = done
        self._data = b""
        self._rest = request[sent:] if sent < len(request) else b""
        self._loop = loop = current()
        self.deadline = 0.0
        loop.watch(fd, WRITE_EDGE if self._rest else READ_EDGE, self._event)
        loop.expire_at(self, loop.now + timeout)

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
            except OSError as error:
                self._end(error.strerror or "error")
                return
            if data == _FINAL_BYTES and not self._data:
                self._end(_FINAL)
                return
            if not data:
                self._end("unexpected end-of-input")
                return
            self._data += data
            try:
                reply = _parse(self._data)
            except AttributeListError as error:
                self._end(str(error))
                return
            if reply is not None:
                self._end(reply)
                return

    def _send_rest(self) -> None:
        try:
            while self._rest:
                self._rest = self._rest[self._socket.send(self._rest) :]
        except BlockingIOError:
            return
        except OSError:
            self._rest = b""  # The end of input, which follows, says it.

    def expired(self) -> None:
        """Called by the loop when the agent has not answered in time."""
        self._end("timeout receiving delivery status")

    def _end(self, result: DeliveryReply | str) -> None:
        self._loop.expire_never(self)
        self._loop.forget(self._fd)
        self._socket.close()
        self._done(result)


def _parse(data: bytes) -> DeliveryReply | None:
    """Return the reply that *data* has after the greeting, None while it is incomplete.  Raises AttributeListError."""
    start = end_of_list(data)
    if start < 0:
        return None
    if data[:start] != _HANDSHAKE:
        pairs = decode_pairs(data[:start])
        if not pairs or pairs[0] != ("protocol", PROTOCOL):
            raise AttributeListError(f"unexpected protocol {pairs[:1]}")
    end = end_of_list(data, start)
    return DeliveryReply.decode(data[start:end]) if end >= 0 else None
