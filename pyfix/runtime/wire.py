"""Talking to a server of somebody else's, with the same code in the event loop and in a command.

A conversation is written once, as a coroutine over a Wire.  Where there is an event loop it waits there
(``runtime/wire_loop.py``); a command runs it to its end with ``run_now``, over a Wire that blocks.
"""

from __future__ import annotations

import os
import select
import socket
import time
from contextlib import suppress

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, Final, TypeVar

    T = TypeVar("T")


class WireError(Exception):
    """The peer can't be reached, is gone, or is silent for too long; the text is that of the system's error."""


class NotConnected(WireError):
    """There is nobody to talk to."""

    def __init__(self, reason: str, not_found: str = "") -> None:
        super().__init__(reason)
        self.not_found: Final = not_found
        """Why the name of the server is not known; empty when it is."""


class WireEnd(WireError):
    """The peer closed the connection."""


class WireTimeout(WireError):
    """The peer did not send or take a byte in time."""


class LineTooLong(WireError):
    """The peer sent a line that is longer than its reader takes."""


class Endpoint:
    """Where a server listens: a host and a service, or a path."""

    __slots__ = ("families", "host", "path", "service")

    def __init__(self, host: str = "", service: str = "", path: str = "", families: tuple[int, ...] = ()) -> None:
        """*families*: the address families to try; all when empty."""
        self.host: Final = host
        self.service: Final = service
        self.path: Final = path
        self.families: Final = families

    def connect(self, timeout: float) -> socket.socket:
        """Return a connected socket that blocks, for *timeout* seconds at most (0: for ever).  Raises NotConnected."""
        if self.path:
            return _connected(socket.AF_UNIX, 0, self.path, timeout)
        try:
            found = socket.getaddrinfo(self.host or "localhost", self.service, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise NotConnected("Cannot assign requested address", reason) from None
        problem = NotConnected("Cannot assign requested address", "Address family for hostname not supported")
        for family, _, protocol, _, address in found:
            if self.families and family not in self.families:
                continue
            try:
                return _connected(family, protocol, address, timeout)
            except NotConnected as error:
                problem = error
        raise problem


def _connected(family: int, protocol: int, address: Any, timeout: float) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM, protocol)
    connection.settimeout(timeout or None)
    try:
        connection.connect(address)
    except OSError as error:
        connection.close()
        raise NotConnected(error_text(error)) from None
    return connection


def error_text(error: OSError) -> str:
    """Return what the system calls an error."""
    return "Connection timed out" if isinstance(error, TimeoutError) else (error.strerror or str(error))


class Wire:
    """A connection that blocks; subclasses wait otherwise."""

    __slots__ = ("born", "buffer", "connection", "fresh", "used")

    def __init__(self, connection: socket.socket) -> None:
        self.connection: Final = connection
        self.buffer = b""
        self.fresh = True
        """Nothing was asked over it before."""
        self.born: Final = time.monotonic()
        self.used = self.born

    async def send(self, data: bytes) -> None:
        """Send all of *data*.  Raises WireError."""
        try:
            self.connection.sendall(data)
        except OSError as error:
            raise _lost(error) from None

    async def receive(self) -> bytes:
        """Return the next bytes, b"" at the end.  Raises WireError."""
        try:
            return self.connection.recv(65536)
        except OSError as error:
            raise _lost(error) from None

    async def more(self) -> None:
        """Wait until there is more in the buffer.  Raises WireEnd, WireError."""
        data = await self.receive()
        if not data:
            raise WireEnd("end of input")
        self.buffer += data

    async def line(self, limit: int) -> bytes:
        """Return the next line without its newline.  Raises LineTooLong past *limit* bytes, WireError."""
        looked = 0
        while (end := self.buffer.find(b"\n", looked)) < 0:
            looked = len(self.buffer)
            if looked > limit:
                raise LineTooLong(f"text longer than {limit}")
            await self.more()
        if end >= limit:
            raise LineTooLong(f"text longer than {limit}")
        line, self.buffer = self.buffer[:end], self.buffer[end + 1 :]
        return line

    async def exactly(self, size: int) -> bytes:
        """Return the next *size* bytes.  Raises WireError."""
        while len(self.buffer) < size:
            await self.more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    @property
    def over(self) -> bool:
        """Whether the peer closed the connection, or said what nobody asked for."""
        return bool(self.buffer) or bool(select.select([self.connection], [], [], 0)[0])

    def leave(self, last: bytes) -> None:
        """Send last words, as far as the system takes them at once, and close the connection."""
        with suppress(OSError):
            self.connection.send(last)
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def _lost(error: OSError) -> WireError:
    return WireTimeout("Connection timed out") if isinstance(error, TimeoutError) else WireError(error_text(error))


class Wires:
    """The connections to one server, and the way to wait; those that are idle are kept for the next question."""

    def __init__(self, endpoint: Endpoint, timeout: float, idle: float, ttl: float) -> None:
        """*timeout*: seconds for each step.  A connection is kept *idle* seconds unused, and *ttl* seconds in all."""
        self.endpoint: Final = endpoint
        self.timeout: Final = timeout
        self.idle: Final = idle
        self.ttl: Final = ttl
        self._free: list[Wire] = []
        self._owner = os.getpid()

    async def take(self) -> Wire:
        """Return a connection, if need be a new one.  Raises NotConnected."""
        if self._owner != os.getpid():  # a child must not talk over its parent's connections
            self._free.clear()
            self._owner = os.getpid()
        now = time.monotonic()
        while self._free:
            wire = self._free.pop()
            if wire.over or now - wire.used > self.idle or now - wire.born > self.ttl:
                wire.close()
                continue
            return wire
        return await self.connect()

    async def connect(self) -> Wire:
        """Return a new connection.  Raises NotConnected."""
        return Wire(self.endpoint.connect(self.timeout))

    def keep(self, wire: Wire) -> None:
        """Keep a connection for the next question."""
        wire.fresh = False
        wire.used = time.monotonic()
        self._free.append(wire)

    async def pause(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._free:
            self._free.pop().close()


def run_now(conversation: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits for an event loop, and return its result."""
    try:
        conversation.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    conversation.close()
    raise RuntimeError("a conversation waits for an event loop that is not there")
