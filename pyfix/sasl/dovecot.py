"""Dovecot's authentication service: one connection for all clients of a process, whose dialogues go on side by side.

Source: SASL_README, "Configuring Postfix to use Dovecot SASL"; postconf(5) smtpd_sasl_path, smtpd_sasl_service.
"""

from __future__ import annotations

import errno
import os
import socket
from _socket import socket as Socket
from collections.abc import Sequence
from typing import Final

from pyfix.formats.hostport import split_host_port
from pyfix.protocols.sasl import dovecot as protocol
from pyfix.protocols.sasl.base64text import looks_like_base64
from pyfix.protocols.sasl.properties import PRIVATE, Demands, Mechanism
from pyfix.protocols.sasl.step import Failure, Step
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import Waiter, sleep, spawn
from pyfix.runtime.threads import in_thread
from pyfix.runtime.wire import Endpoint, NotConnected
from pyfix.sasl.service import Dialogue, Peer, SaslService, ServiceFatal

__all__ = ["DovecotService"]

_TIMEOUT: Final = 10.0
"""Seconds that an answer is waited for."""
_MOST_LINE: Final = 65536
_LOST: Final = Failure("Connection lost to authentication server", temporary=True, unheard=True)
_NOBODY: Final = Failure("", temporary=True, unheard=True)
_FAMILY: Final = int(socket.AF_UNIX)
_KIND: Final = int(socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)


class _NoConnection(Exception):
    """The service can't be reached, or is none; the log says why already."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure: Final = failure


class _Connection:
    """A connection past its greetings."""

    def __init__(self, stream: Stream) -> None:
        self.stream: Final = stream
        self.open = True
        self._waiting: dict[int, Waiter[Step]] = {}
        self._rest = b""
        self._heard = 0.0
        """When the service last said something, by the loop's clock."""

    async def greet(self, timeout: float) -> list[Mechanism]:
        """Exchange greetings.  Raises ProtocolError, StreamTimeout, StreamClosed."""
        greeting = protocol.Greeting()
        self.stream.write(protocol.hello(os.getpid()))
        self.stream.until = current().now + timeout
        while not greeting.done:
            for line in await self._lines():
                greeting.take(line)
                if greeting.done:
                    break
        self.stream.until = 0.0
        return greeting.mechanisms

    async def _lines(self) -> list[str]:
        """Return the next whole lines.  Raises ProtocolError, StreamTimeout, StreamClosed."""
        data = await self.stream.read()
        if not data:
            raise StreamClosed("end of input")
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _MOST_LINE:
            raise protocol.ProtocolError("SASL: Protocol error")
        return [line.partition(b"\0")[0].rstrip(b"\r").decode("utf-8", "surrogateescape") for line in lines]

    async def listen(self) -> None:
        """Hand out replies as long as the connection lasts."""
        try:
            while True:
                lines = await self._lines()
                self._heard = current().now
                for line in lines:
                    self._hand_out(line)
        except protocol.ProtocolError as error:
            log.warning(str(error))
        except (StreamTimeout, StreamClosed):
            pass
        self.close()

    def _hand_out(self, line: str) -> None:
        reply = protocol.parse_reply(line)
        if reply is not None and (waiter := self._waiting.pop(reply[0], None)) is not None:
            waiter.wake_soon(reply[1])

    def close(self) -> None:
        """End the connection, and with it all dialogues."""
        if self.open:
            self.open = False
            self.stream.close()
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting.values():
            waiter.wake_soon(_LOST)

    def _expire(self, number: int, since: float) -> None:
        """End a dialogue that got no reply; the whole connection, if nobody got one meanwhile."""
        if self._heard <= since:
            self.close()
        elif (waiter := self._waiting.pop(number, None)) is not None:
            waiter.wake_soon(_LOST)

    async def ask(self, number: int, line: bytes, timeout: float) -> Step:
        """Say a line and return what comes back for it."""
        if not self.open:
            return _LOST
        waiter: Waiter[Step] = Waiter()
        self._waiting[number] = waiter
        self.stream.write(line)
        self.stream.send_soon()
        expiry = current().later(timeout, self._expire, number, current().now)
        step = await waiter
        if expiry.active():
            expiry.cancel()
        return step


class DovecotService(SaslService):
    """``smtpd_sasl_type = dovecot``."""

    def __init__(self, path: str, service: str, timeout: float = _TIMEOUT) -> None:
        """*path*: ``inet:host:port``, ``unix:path``, or a path, relative to the queue directory."""
        self._path: Final = path
        self._service: Final = service
        self.timeout: Final = timeout
        self._connection: _Connection | None = None
        self._mechanisms: list[Mechanism] = []
        self._connecting: list[Waiter[_Connection | Failure]] | None = None
        self._number = 0

    async def mechanisms(self) -> Sequence[Mechanism]:
        """Return what the service offers."""
        if self._connection is None or not self._connection.open:
            try:
                await self._connected()
            except _NoConnection:
                pass
        return [mechanism for mechanism in self._mechanisms if PRIVATE not in mechanism.properties]

    def dialogue(self, mechanism: str, peer: Peer, demands: Demands) -> Dialogue:
        """Begin a dialogue."""
        return _DovecotDialogue(self, mechanism, peer, demands)

    def admits(self, name: str, demands: Demands) -> bool:
        """Say whether a client may use the mechanism with this name."""
        wanted = name.lower()
        return any(
            mechanism.name.lower() == wanted and demands.admit(mechanism.properties)
            for mechanism in self._mechanisms
            if PRIVATE not in mechanism.properties
        )

    async def begin(self, mechanism: str, peer: Peer, response: str | None) -> tuple[_Connection | None, int, Step]:
        """Say AUTH; return the connection and the number of the dialogue, and the first reply."""
        try:
            connection = await self._connected()
        except _NoConnection as error:
            return None, 0, error.failure
        self._number = number = self._number % 0x7FFFFFFF + 1
        line = protocol.begin(
            number,
            mechanism,
            service=self._service,
            server_address=peer.server_address,
            client_address=peer.client_address,
            secured=peer.secured,
            response=response,
        )
        return connection, number, await connection.ask(number, line, self.timeout)

    async def _connected(self) -> _Connection:
        """Return the connection; of several who want it at once, one makes it.  Raises _NoConnection."""
        connection = self._connection
        if connection is not None and connection.open and not connection.stream.peer_left:
            return connection
        if self._connecting is not None:
            waiter: Waiter[_Connection | Failure] = Waiter()
            self._connecting.append(waiter)
            outcome = await waiter
            if isinstance(outcome, Failure):
                raise _NoConnection(outcome)
            return outcome
        self._connecting = []
        result: _Connection | Failure = _LOST
        try:
            result = await self._connect()
        except _NoConnection as error:
            result = error.failure
            raise
        finally:
            others, self._connecting = self._connecting, None
            for other in others:
                other.wake_soon(result)
        return result

    async def _connect(self) -> _Connection:
        """Make a new connection.  Raises _NoConnection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        try:
            stream = Stream(await self._socket(), self.timeout)
        except OSError as error:
            log.warning(f"SASL: Connect to Dovecot auth socket '{self._path}' failed: {error.strerror}")
            raise _NoConnection(_NOBODY) from None
        connection = _Connection(stream)
        try:
            mechanisms = await connection.greet(self.timeout)
        except (protocol.ProtocolError, StreamTimeout, StreamClosed) as error:
            if isinstance(error, protocol.ProtocolError):
                log.warning(str(error))
            connection.close()
            raise _NoConnection(_NOBODY) from None
        stream.timeout = 0
        self._mechanisms = mechanisms
        self._connection = connection
        spawn(connection.listen())
        return connection

    async def _socket(self) -> Socket:
        """Return a connected socket.  Raises OSError, ServiceFatal."""
        kind, _, place = self._path.partition(":")
        if kind == "inet":
            return await self._network_socket(place)
        return await _unix_socket(place if kind == "unix" else self._path, self.timeout)

    async def _network_socket(self, place: str) -> Socket:
        try:
            host, service = split_host_port(place)
        except ValueError as error:
            raise ServiceFatal(f"{place}: {error}") from None
        try:
            connection = await in_thread(Endpoint(host, service).connect, self.timeout)
        except NotConnected as error:
            if error.not_found:
                log.warning(f"host or service {place} not found: {error.not_found}")
            raise OSError(errno.ECONNREFUSED, str(error)) from None
        connection.setblocking(False)
        return connection


async def _unix_socket(path: str, timeout: float) -> Socket:
    """Connect to a socket of the file system, whose queue is waited for when it is full.  Raises OSError."""
    delay = 0.001
    end = current().now + timeout
    while True:
        connection = Socket(_FAMILY, _KIND, 0)
        try:
            connection.connect(path)
        except OSError as error:
            connection.close()
            if error.errno != errno.EAGAIN or current().now > end:
                raise
            await sleep(delay)
            delay = min(delay * 2, 0.1)
            continue
        return connection


class _DovecotDialogue(Dialogue):
    """One dialogue; after its end, or that of the connection, there is nothing to go on with."""

    __slots__ = ("_connection", "_demands", "_mechanism", "_number", "_peer", "_service")

    def __init__(self, service: DovecotService, mechanism: str, peer: Peer, demands: Demands) -> None:
        self._service = service
        self._mechanism = mechanism
        self._peer = peer
        self._demands = demands
        self._connection: _Connection | None = None
        self._number = 0

    async def start(self, response: str | None) -> Step:
        """Begin."""
        if not self._service.admits(self._mechanism, self._demands):
            return Failure(f"Invalid authentication mechanism: '{self._mechanism}'", unheard=True)
        if response is not None and not looks_like_base64(response):
            return Failure("Invalid base64 data in initial response", unheard=True)
        self._connection, self._number, step = await self._service.begin(self._mechanism, self._peer, response)
        return step

    async def respond(self, response: str) -> Step:
        """Go on."""
        if not looks_like_base64(response):
            return Failure("Invalid base64 data in continued response", unheard=True)
        if self._connection is None:
            return _LOST
        return await self._connection.ask(self._number, protocol.respond(self._number, response), self._service.timeout)
