"""Wires that wait in the event loop: names are resolved and connections made in a thread, the rest is a Stream."""

from __future__ import annotations

from time import monotonic
from typing import Final

from pyfix.runtime.identity import is_another
from pyfix.runtime.loop import current
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import sleep
from pyfix.runtime.threads import in_thread
from pyfix.runtime.wire import Wire, WireError, Wires, WireTimeout


class LoopWire(Wire):
    """A connection whose user waits in the event loop."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream.socket)  # type: ignore[arg-type]  # it is only closed and polled
        self._stream: Final = stream

    async def send(self, data: bytes) -> None:
        """Send all of *data*.  Raises WireError."""
        self._stream.write(data)
        try:
            await self._stream.drain()
        except StreamTimeout:
            raise WireTimeout("Connection timed out") from None
        except StreamClosed as error:
            raise WireError(str(error)) from None

    async def receive(self) -> bytes:
        """Return the next bytes, b"" at the end.  Raises WireError."""
        try:
            return await self._stream.read()
        except StreamTimeout:
            raise WireTimeout("Connection timed out") from None
        except StreamClosed as error:
            raise WireError(str(error)) from None

    @property
    def over(self) -> bool:
        """Whether the peer closed the connection, or said what nobody asked for."""
        return bool(self.buffer) or self._stream.peer_left or bool(self._stream.peek_input()) or self._stream.peer_left

    def leave(self, last: bytes) -> None:
        """Send last words, as far as the system takes them at once, and close the connection."""
        self._stream.write(last)
        self._stream.close()

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()


class LoopWires(Wires):
    """The connections to one server that are used from the event loop."""

    _sweeping = False

    async def connect(self) -> Wire:
        """Return a new connection.  Raises NotConnected."""
        if is_another():  # no thread may start with a recipient's rights
            connection = self.endpoint.connect(self.timeout)
        else:
            connection = await in_thread(self.endpoint.connect, self.timeout)
        connection.setblocking(False)
        return LoopWire(Stream(connection, self.timeout))

    def keep(self, wire: Wire) -> None:
        """Keep a connection for the next question, and close it when it is idle for too long."""
        super().keep(wire)
        if not self._sweeping:
            self._sweeping = True
            current().later(self.idle, self._sweep)

    def _sweep(self) -> None:
        now = monotonic()
        stale = [wire for wire in self._free if now - wire.used > self.idle or wire.over]
        self._free = [wire for wire in self._free if wire not in stale]
        for wire in stale:
            wire.close()
        self._sweeping = bool(self._free)
        if self._sweeping:
            current().later(self.idle, self._sweep)

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await sleep(seconds)
