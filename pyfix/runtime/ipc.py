"""Questions to other daemons over their sockets, from the event loop.

Two manners: a ``Service`` keeps connections and asks many questions over each (rewrite, anvil,
verify); ``call`` opens a connection for one question (bounce, flush, delivery agents).  Servers
speak first, with the name of their protocol.
"""

from __future__ import annotations

import errno
import os
import socket
from _socket import socket as _Socket
from typing import Final, TypeVar

from pyfix.formats.attributes import AttributeListError, Attributes, Encoding, decode_pairs, encode_pairs, end_of_list
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import sleep

Reply = TypeVar("Reply", bound=Attributes)

_FAMILY: Final = int(socket.AF_UNIX)
_KIND: Final = int(socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
_MOST_IDLE: Final = 50
_BUSY: Final = (errno.EAGAIN, errno.ECONNREFUSED, errno.ENOENT)


class ServiceError(Exception):
    """A daemon could not be asked, or did not answer as its protocol says."""


def handshake(protocol: str, encoding: Encoding = "null") -> bytes:
    """Return what a server says first."""
    return encode_pairs([("protocol", protocol)], encoding)


async def connect(path: str, timeout: float) -> Stream:
    """Connect to a socket of the mail system (``private/rewrite``), whose queue is waited for when it is full.

    Raises ServiceError.
    """
    delay = 0.001
    end = current().now + timeout
    while True:
        try:
            connection = _Socket(_FAMILY, _KIND, 0)
        except OSError as error:
            raise ServiceError(f"connect to {path}: {error.strerror}") from error
        try:
            connection.connect(path)
        except OSError as error:
            connection.close()
            if error.errno != errno.EAGAIN or current().now > end:
                raise ServiceError(f"connect to {path}: {error.strerror}") from error
            # The listen queue is full: the server is behind, and catches up while we sleep.
            await sleep(delay)
            delay = min(delay * 2, 0.1)
            continue
        return Stream(connection, timeout)


async def receive_list(stream: Stream, encoding: Encoding = "null") -> bytes | None:
    """Return the next attribute list whole, or None if the peer closed the connection before it.

    Raises StreamTimeout, StreamClosed, or AttributeListError if the end cuts a list off.
    """
    data = stream.begin_read()
    if data is None:
        await stream
        data = stream.received()
    while True:
        end = end_of_list(data, 0, encoding)
        if end >= 0:
            if end < len(data):
                stream.unread(data[end:])
                return data[:end]
            return data
        more = await stream.read()
        if not more:
            if data:
                raise AttributeListError("end of input in an attribute list")
            return None
        data += more


async def next_request(stream: Stream, encoding: Encoding = "null") -> bytes | None:
    """Return a client's next list as receive_list does; before it the client may be silent for as long as it likes."""
    timeout, stream.timeout = stream.timeout, 0
    try:
        begin = await stream.read()
    finally:
        stream.timeout = timeout
    if not begin:
        return None
    stream.unread(begin)
    return await receive_list(stream, encoding)


async def receive(stream: Stream, message: type[Reply]) -> Reply:
    """Return the next attribute list as a *message*.

    Raises StreamTimeout, StreamClosed, AttributeListError.
    """
    data = await receive_list(stream, message.ENCODING)
    if data is None:
        raise StreamClosed("end of input")
    return message.decode(data)


async def expect_handshake(stream: Stream, protocol: str, encoding: Encoding = "null") -> list[tuple[str, str]]:
    """Read what the server says first and return its attributes after the protocol's name.

    Raises ServiceError when it speaks another protocol, StreamTimeout, StreamClosed, AttributeListError.
    """
    data = await receive_list(stream, encoding)
    if data is None:
        raise StreamClosed("end of input")
    pairs = decode_pairs(data, encoding)
    if not pairs or pairs[0] != ("protocol", protocol):
        raise ServiceError(f"unexpected protocol: {pairs[:1]} (expecting: {protocol})")
    return pairs[1:]


async def call(path: str, protocol: str, request: Attributes, reply: type[Reply], timeout: float) -> Reply:
    """Ask one question over a connection of its own.  Raises ServiceError."""
    stream = await connect(path, timeout)
    try:
        # The request need not wait for the server's greeting: both are in the buffers then.
        stream.write(request.encode())
        await expect_handshake(stream, protocol, request.ENCODING)
        return await receive(stream, reply)
    except (StreamTimeout, StreamClosed, AttributeListError) as error:
        raise ServiceError(f"{path}: {_reason(error)}") from error
    finally:
        stream.close()


def _reason(error: Exception) -> str:
    return "Connection timed out" if isinstance(error, StreamTimeout) else str(error)


class IdleStreams:
    """Connections that wait for their next use, for *idle* seconds at most, and until they are *ttl* seconds old."""

    def __init__(self, idle: float, ttl: float, *, server_speaks: bool = False) -> None:
        """*server_speaks*: what an idle server says is meant for the next use."""
        self._idle = idle
        self._ttl = ttl
        self._look_after = min(idle, ttl)
        self._server_speaks = server_speaks
        self._free: list[tuple[Stream, float, float]] = []
        self._sweeping = False

    def take(self) -> tuple[Stream, float] | None:
        """Return a connection that seems to be alive, and when it was made; None if there is none."""
        while self._free:
            stream, born, _used = self._free.pop()
            if self._is_over(stream):
                stream.close()
                continue
            return stream, born
        return None

    def _is_over(self, stream: Stream) -> bool:
        """Say whether the server has left: one that has nothing to say shows it by being readable."""
        return stream.peer_left or (stream.pending and not self._server_speaks)

    def put(self, stream: Stream, born: float) -> None:
        """Keep a connection that was made at *born* (seconds of the loop's clock)."""
        now = current().now
        if now - born > self._ttl or len(self._free) >= _MOST_IDLE:
            stream.close()
            return
        self._free.append((stream, born, now))
        if not self._sweeping:
            self._sweeping = True
            current().later(self._look_after, self._sweep)

    def _sweep(self) -> None:
        now = current().now
        stale = [
            entry
            for entry in self._free
            if now - entry[2] >= self._idle or now - entry[1] >= self._ttl or self._is_over(entry[0])
        ]
        self._free = [entry for entry in self._free if entry not in stale]
        for stream, _born, _used in stale:
            stream.close()
        self._sweeping = bool(self._free)
        if self._sweeping:
            current().later(self._look_after, self._sweep)

    def close(self) -> None:
        """Close them all."""
        for stream, _born, _used in self._free:
            stream.close()
        self._free.clear()


class Service:
    """One daemon that is asked often; idle connections are kept for ipc_idle and at most ipc_ttl seconds."""

    def __init__(
        self,
        path: str,
        protocol: str,
        *,
        timeout: float,
        idle: float = 5,
        ttl: float = 1000,
        encoding: Encoding = "null",
    ) -> None:
        self.path = path
        self._protocol = protocol
        self._timeout = timeout
        self._idle = IdleStreams(idle, ttl)
        self._encoding: Encoding = encoding

    async def ask(self, request: Attributes, reply: type[Reply]) -> Reply:
        """Return the answer to *request*; a connection that the server closed meanwhile is replaced once.

        Raises ServiceError.
        """
        question = request.encode()
        for attempt in range(2):
            stream, born, fresh = await self._take()
            try:
                stream.write(question)
                if fresh:
                    await expect_handshake(stream, self._protocol, self._encoding)
                answer = await receive(stream, reply)
            except (StreamClosed, AttributeListError, ServiceError) as error:
                stream.close()
                if fresh and attempt:
                    raise ServiceError(f"{self.path}: {_reason(error)}") from error
                if fresh:
                    log.debug(f"{self.path}: {_reason(error)}")
            except BaseException as error:
                stream.close()
                if isinstance(error, StreamTimeout):
                    raise ServiceError(f"{self.path}: Connection timed out") from error
                raise
            else:
                self._idle.put(stream, born)
                return answer
        raise ServiceError(f"{self.path}: no answer")

    async def _take(self) -> tuple[Stream, float, bool]:
        kept = self._idle.take()
        if kept is not None:
            return (*kept, False)
        return await connect(self.path, self._timeout), current().now, True

    def disconnect(self) -> None:
        """Close the idle connections, for instance because the server says that its tables changed."""
        self._idle.close()


def trigger(path: str, requests: bytes) -> bool:
    """Write the bytes of a trigger to a socket or FIFO and do not wait; tell whether they were taken.

    Nobody is told of a failure: the server looks by itself, later.
    """
    connection = _Socket(_FAMILY, _KIND, 0)
    try:
        connection.connect(path)
        connection.send(requests)
    except OSError as error:
        return error.errno == errno.ENOTSOCK and _trigger_fifo(path, requests)
    finally:
        connection.close()
    return True


def _trigger_fifo(path: str, requests: bytes) -> bool:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.write(fd, requests)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True
