"""Tables that ask a server in a small protocol of our own: tcp, socketmap, memcache.

The conversation is the same in an event loop, where other clients go on meanwhile, and in a command, which waits.
"""

from __future__ import annotations

from pyfix.runtime.wire import Endpoint, NotConnected, WireError, Wires, run_now
from pyfix.tables import flags as bits
from pyfix.tables.notice import warn
from pyfix.tables.table import Opening, Table, TableError, valid_text

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from pyfix.runtime.wire import Wire

    T = TypeVar("T")


class ServedTable(Table):
    """A table whose answers come from a server; a type gives ``answer``."""

    local = False
    timeout = 100.0
    """Seconds to connect, to send and to receive."""
    idle = 10.0
    """Seconds that an unused connection is kept."""
    ttl = 100.0
    """Seconds that a connection lives."""

    __slots__ = ("_endpoint", "_in_loop", "_waiting")

    def __init__(self, name: str, opening: Opening, endpoint: Endpoint) -> None:
        super().__init__(name, opening)
        self._endpoint = endpoint
        self._waiting = Wires(endpoint, self.timeout, self.idle, self.ttl)
        self._in_loop: Wires | None = None

    async def answer(self, key: str, wires: Wires) -> str | None:
        """Return what the server says of a key that was folded already.  Raises TableError."""
        raise NotImplementedError  # for the subclass

    def find_now(self, key: str) -> str | None:
        """Ask and wait for the answer; the whole process waits.  Raises TableError."""
        prepared = self.prepared(key)
        if prepared is None:
            return None
        return self._accepted(prepared, run_now(self.answer(prepared, self._waiting)))

    async def find(self, key: str) -> str | None:
        """Ask, while the event loop goes on.  Raises TableError."""
        prepared = self.prepared(key)
        if prepared is None:
            return None
        if self._in_loop is None:
            from pyfix.runtime.wire_loop import LoopWires  # a command has no event loop

            self._in_loop = LoopWires(self._endpoint, self.timeout, self.idle, self.ttl)
        return self._accepted(prepared, await self.answer(prepared, self._in_loop))

    def _accepted(self, key: str, value: str | None) -> str | None:
        if value is not None and self.utf8 and not valid_text(value):
            self.refuse_value(key, value)
        return value

    def close(self) -> None:
        """Close the connections."""
        self._waiting.close()
        if self._in_loop is not None:
            self._in_loop.close()


async def over_wire(wires: Wires, conversation: Callable[[Wire], Awaitable[T]]) -> T:
    """Return what *conversation* comes to over a connection, which is kept afterwards.

    Over a new one when the server has left the old one meanwhile.  Raises WireError; what else the
    conversation raises closes its connection too.
    """
    while True:
        wire = await wires.take()
        try:
            result = await conversation(wire)
        except WireError:
            wire.close()
            if wire.fresh:
                raise
        except BaseException:
            wire.close()
            raise
        else:
            wires.keep(wire)
            return result


def not_connected(error: NotConnected, what: str, endpoint: Endpoint) -> None:
    """Warn that *what* can't be reached."""
    if error.not_found:
        where = f"{endpoint.host}:{endpoint.service}" if endpoint.host else endpoint.service
        warn(f"host or service {where} not found: {error.not_found}")
    warn(f"connect to {what}: {error}")


def refuse_unauthenticated(table: str, opening: Opening, sensitive: str = "security-sensitive") -> None:
    """Raise TableError where *table* would name users, files or commands: anybody may be the server."""
    if opening.flags & bits.NO_UNAUTH:
        raise TableError(f"{table} map is not allowed for {sensitive} data")


def key_bytes(key: str) -> bytes:
    """Return a key as it is sent."""
    return key.encode(errors="surrogateescape")


def value_text(value: bytes) -> str:
    """Return a value as it was received, up to its first NUL."""
    return value.partition(b"\0")[0].decode(errors="surrogateescape")
