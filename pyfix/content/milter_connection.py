"""One milter of one session: connected when it is first needed, asked event by event.

Source: MILTER_README.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Final

from pyfix.content.milter_settings import MilterSpec
from pyfix.formats.hostport import split_host_port
from pyfix.protocols.milter.machine import Event, Machine, State, Traits
from pyfix.protocols.milter.modification import Modification
from pyfix.protocols.milter.options import Options
from pyfix.protocols.milter.packet import COMMAND_NAMES, OPTIONS, BadPacket, Packet, PacketReader
from pyfix.protocols.milter.verdict import Refuse, Verdict
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.threads import in_thread

__all__ = ["Editor", "Milter"]

Editor = Callable[[Modification], Awaitable[Refuse | None]]
"""Carries a modification out; returns what to answer the client when that fails."""

_END: Final = "Application error"
"""What the reference's C library calls the error of a connection that ends too early."""
_TIMED_OUT: Final = "Connection timed out"
_NO_ADDRESS: Final = "Cannot assign requested address"
_MUCH: Final = 131072
"""With this much unsent, what else there is to say waits."""
_CONTENT: Final = frozenset((Event.HEADER, Event.END_OF_HEADER, Event.BODY, Event.END_OF_BODY))


class _Unreachable(Exception):
    """There is nobody to talk to; the text says why."""


class Milter:
    """One milter, as one session or one message sees it."""

    __slots__ = ("_blocking", "_reader", "machine", "spec", "stream", "symbols")

    def __init__(self, spec: MilterSpec) -> None:
        self.spec: Final = spec
        self.machine: Final = Machine(spec.name, spec.default_action, log.warning)
        self.stream: Stream | None = None
        self.symbols: dict[str, tuple[str, ...]] = {}
        """The macros that the milter asked for, by stage; those of other stages are main.cf's."""
        self._reader = PacketReader()
        self._blocking = False

    # Connecting

    async def open(self) -> bool:
        """Connect and agree on options; tell whether that was possible."""
        machine = self.machine
        offer = machine.begin(self.spec.protocol)
        if offer is None:
            return False
        transport, colon, address = self.spec.name.partition(":")
        if not colon or not address:
            log.warning(f'Milter service needs transport:endpoint instead of "{self.spec.name}"')
            machine.misconfigured()
            return False
        if transport not in ("inet", "unix", "local"):
            log.warning(f"invalid transport name: {transport} in Milter service: {self.spec.name}")
            machine.misconfigured()
            return False
        try:
            self.stream = await self._connected(transport, address, offer)
        except _Unreachable as problem:
            log.warning(f"connect to Milter service {self.spec.name}: {problem}")
            machine.fail()
            return False
        self.stream.timeout = self.spec.command_timeout
        packet = await self._packet(OPTIONS)
        if packet is None:
            log.warning(f"milter {self.spec.name}: read error in initial handshake")
            machine.fail()
        elif machine.take_options(packet):
            self.symbols = machine.options.symbols
            return True
        self._drop()
        return False

    async def _connected(self, transport: str, address: str, offer: bytes) -> Stream:
        """Return a connection over which the offer has been sent.  Raises _Unreachable."""
        if transport != "inet":
            return await self._sent(socket.AF_UNIX, address, offer)
        try:
            host, port = split_host_port(address)
        except ValueError as problem:
            raise _Unreachable(str(problem)) from None
        try:
            found = await in_thread(_addresses, host, port) if not _is_numeric(host, port) else _addresses(host, port)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            log.warning(f"host or service {address} not found: {reason}")
            raise _Unreachable(_NO_ADDRESS) from None
        last = _Unreachable(_NO_ADDRESS)
        for family, target in found:
            try:
                return await self._sent(family, target, offer)
            except _Unreachable as failure:
                last = failure
        raise last

    async def _sent(self, family: int, address: str | tuple[str, int], offer: bytes) -> Stream:
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        if family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = connection.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            connection.close()
            raise _Unreachable(os.strerror(code))
        stream = Stream(connection, self.spec.connect_timeout)
        stream.write(offer)
        try:
            await stream.drain()
        except StreamTimeout:
            stream.close()
            raise _Unreachable(_TIMED_OUT) from None
        except StreamClosed as error:
            stream.close()
            raise _Unreachable(str(error)) from None
        return stream

    def adopt(self, stream: Stream, options: Options, state: int, *, blocking: bool) -> None:
        """Go on with a connection that another program has begun; *blocking* is how that had it."""
        self.stream = stream
        self._blocking = blocking
        self.symbols = options.symbols
        self.machine.resume(options, state)

    # Events

    async def tell(
        self, event: Traits, macros: Iterable[tuple[str, str]], data: bytes = b"", edit: Editor | None = None
    ) -> Verdict | None:
        """Tell of an event, and return what the milter says; *edit* carries out what it wants to have changed."""
        machine = self.machine
        if not machine.hears(event):
            return machine.verdict if machine.state in (State.FAILED, State.REJECTED_CLIENT) else None
        stream = self.stream
        assert stream is not None  # a machine that hears has a connection
        packets = machine.send(event, macros, data)
        if packets:
            stream.write(packets)
        if machine.done:
            if stream.unsent > _MUCH:
                await self._relieve(stream)
            return machine.verdict
        stream.timeout = self.spec.content_timeout if event in _CONTENT else self.spec.command_timeout
        while not machine.done:
            packet = await self._packet(event.command)
            if packet is None:
                machine.fail()
                break
            change = machine.take(packet)
            if change is not None and edit is not None:
                failure = await edit(change)
                if failure is not None:
                    return failure
        if machine.state == State.FAILED:
            self._break()
        return machine.answer()

    async def _packet(self, command: bytes) -> Packet | None:
        """Return the next packet; None, with a warning, when there is none."""
        reader, stream = self._reader, self.stream
        assert stream is not None
        try:
            while (packet := reader.next()) is None:
                data = await stream.read()
                if not data:
                    self._cut(command, _END)
                    return None
                reader.feed(data)
        except StreamTimeout:
            self._cut(command, _TIMED_OUT)
            return None
        except StreamClosed as error:
            self._cut(command, str(error))
            return None
        except BadPacket as error:
            log.warning(f"milter {self.spec.name}: {error}")
            return None
        return packet

    def _cut(self, command: bytes, reason: str) -> None:
        if self._reader.has_begun:
            log.warning(f"milter {self.spec.name}: EOF while reading data: {reason}")
        else:
            name = COMMAND_NAMES[command]
            log.warning(f"milter {self.spec.name}: can't read {name} reply packet header: {reason}")

    async def _relieve(self, stream: Stream) -> None:
        try:
            await stream.drain()
        except (StreamTimeout, StreamClosed) as error:
            log.warning(f"milter {self.spec.name}: error writing command: {error or _TIMED_OUT}")
            self.machine.fail()
            self._break()

    async def send_all(self) -> None:
        """Send what waits to be sent."""
        if self.stream is not None and self.stream.unsent:
            await self._relieve(self.stream)

    # The end

    def abort(self) -> None:
        """Tell that the message is over; that leaves with what is said next."""
        packet = self.machine.abort()
        if packet and self.stream is not None:
            self.stream.write(packet)

    def quit(self) -> None:
        """End the conversation."""
        packet = self.machine.quit()
        if self.stream is not None and packet:
            self.stream.write(packet)
        self._drop()

    def release(self) -> None:
        """Let go of a connection that another program goes on with, in the mode in which that expects it."""
        if self.stream is not None:
            self.stream.socket.setblocking(self._blocking)
            self._drop()

    def _break(self) -> None:
        """End the connection for all who have it, be it after an error."""
        if self.stream is not None:
            with suppress(OSError):
                self.stream.socket.shutdown(socket.SHUT_RDWR)
            self._drop()

    def _drop(self) -> None:
        stream, self.stream = self.stream, None
        if stream is not None:
            with suppress(StreamClosed):
                stream.flush()
            # Another program may have the connection: only what is unwatched makes no more events in this one.
            os.close(stream.detach())
        self._reader = PacketReader()


def _is_numeric(host: str, port: str) -> bool:
    if not port.isdigit():
        return False
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except OSError:
        return False
    return True


def _addresses(host: str, port: str) -> list[tuple[int, tuple[str, int]]]:
    """Return what a name and a service stand for.  Blocks, if they are no numbers.  Raises OSError."""
    found = socket.getaddrinfo(host or "localhost", port, type=socket.SOCK_STREAM)
    return [(int(family), (str(address[0]), int(address[1]))) for family, _, _, _, address in found]
