"""memcache: values in a memcached server, with another table behind it that keeps them.

Source: memcache_table(5).
"""

from __future__ import annotations

from pyfix.protocols import memcache as protocol
from pyfix.runtime.wire import LineTooLong, NotConnected, WireEnd, WireError, run_now
from pyfix.tables.endpoint import endpoint
from pyfix.tables.notice import warn
from pyfix.tables.parameters import TableParameters
from pyfix.tables.served import ServedTable, key_bytes, not_connected, over_wire, refuse_unauthenticated, value_text
from pyfix.tables.table import Opening, Table, TableError, masked
from pyfix.tables.template import DomainFilter, Template

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from typing import Any, Final, TypeAlias, TypeVar

    from pyfix.runtime.wire import Wire, Wires

    T = TypeVar("T")
    Changes: TypeAlias = Any
    """A table that stores and removes, or a table file that is being changed."""

_BLANKS: Final = frozenset(" \t\r\n\v\f")


class _BadReply(WireError):
    """The server said something else."""


def _unexpected(line: bytes) -> _BadReply:
    return _BadReply(f"unexpected memcache server reply: {masked(value_text(line[:30]))}")


class MemcacheTable(ServedTable):
    """``memcache:/file.cf``: looked up, changed, and with a backup table listed."""

    kind = "memcache"

    def __init__(self, name: str, opening: Opening) -> None:
        refuse_unauthenticated(f"memcache:{name}", opening)
        parameters = TableParameters(name, opening)
        self._parameters = parameters
        place, self._shown = endpoint(parameters.text("memcache", "inet:localhost:11211"), opening)
        self.timeout = float(parameters.integer("timeout", 2))
        super().__init__(name, opening, place)
        self._format: Final = Template(parameters.text("key_format", "%s"), parameters.name)
        self._domain: Final = DomainFilter(parameters, opening)
        self._flags: Final = parameters.integer("flags", 0)
        self._ttl: Final = parameters.integer("ttl", 3600)
        self._tries: Final = parameters.integer("max_try", 2, least=1)
        self._pause: Final = parameters.integer("retry_pause", 1, least=1)
        self._line_limit: Final = parameters.integer("line_size_limit", 1024, least=1)
        self._data_limit: Final = parameters.integer("data_size_limit", 10240, least=1)
        self._digest: Final = parameters.text("key_digest")
        if self._digest:
            from hashlib import new

            try:
                new(self._digest)
            except ValueError:
                raise TableError(f"open {parameters.name}: key digest {self._digest} is not available") from None
        self._backup: Table | None = None
        self._behind: Final = parameters.text("backup")
        if self._behind:
            from pyfix.tables.source import open_as

            self._backup = open_as(self._behind, opening)

    # Keys

    def _key(self, key: str, update: bool) -> bytes | None:
        """Return the server's key for one that was folded already and that the domain accepts; None for none."""
        reason = ""
        made = None
        if not key:
            reason = "empty lookup key"
        elif (made := self._format.expand(key)) is None or not made:
            reason = "empty lookup key expansion"
        elif not _BLANKS.isdisjoint(made) or "\0" in made:
            reason = "name contains space"
        if reason or made is None:
            if update:
                self._skipped(key, reason)
            return None
        if self._digest:
            from hashlib import new

            return new(self._digest, key_bytes(made)).hexdigest().encode()
        return key_bytes(made)

    def _skipped(self, key: str, reason: str) -> None:
        warn(f'{self._parameters.name}: skipping update for name "{key}": {reason}')

    # Conversations

    async def _talk(self, wires: Wires, conversation: Callable[[Wire], Awaitable[T]]) -> T:
        """Return what *conversation* comes to, tried as often as max_try says.  Raises WireError."""
        for left in range(self._tries - 1, -1, -1):
            try:
                return await over_wire(wires, conversation)
            except NotConnected as error:
                not_connected(error, self._shown, self._endpoint)
                raise
            except _BadReply as error:
                problem: WireError = error
                reason = f"{self._parameters.name}: {error}"
            except (WireEnd, LineTooLong) as error:
                problem = error
                reason = f"database {self.name}: I/O error"
            except WireError as error:
                problem = error
                reason = f"database {self.name}: I/O error: {error}"
            if not left:
                raise problem
            warn(reason)
            await wires.pause(self._pause)
        raise AssertionError("the last try returns or raises")

    async def _line(self, wire: Wire) -> bytes:
        return (await wire.line(self._line_limit)).removesuffix(b"\r")

    async def _get(self, wires: Wires, key: bytes) -> str | None:
        async def ask(wire: Wire) -> bytes | None:
            await wire.send(protocol.get_request(key))
            line = await self._line(wire)
            if line == protocol.END:
                return None
            size = protocol.value_size(line)
            if size is None or size > self._data_limit:
                raise _unexpected(line)
            value = await wire.exactly(size + 2)
            if not value.endswith(b"\r\n"):
                raise _unexpected(value)
            await self._line(wire)
            return value[:-2]

        value = await self._talk(wires, ask)
        return None if value is None else value_text(value)

    async def _simple(self, wires: Wires, request: bytes, *replies: bytes) -> bytes:
        async def ask(wire: Wire) -> bytes:
            await wire.send(request)
            line = await self._line(wire)
            if line not in replies:
                raise _unexpected(line)
            return line

        return await self._talk(wires, ask)

    async def _set(self, wires: Wires, key: bytes, value: str) -> None:
        data = key_bytes(value)
        if len(data) > self._data_limit:
            warn(
                f"database {self.name}: data for key {value_text(key)} is too long "
                f"(data_size_limit={self._data_limit}) -- not stored"
            )
            return
        request = protocol.set_request(key, data, self._flags, self._ttl)
        await self._simple(wires, request, protocol.STORED)

    def _failed(self, what: str, error: WireError) -> TableError:
        reason = f": {error}" if isinstance(error, NotConnected) else ""
        return TableError(f"table {self.name}: {what} error{reason}")

    # Lookups

    async def answer(self, key: str, wires: Wires) -> str | None:
        """Ask the server, then the backup table, whose answer the server is told.  Raises TableError."""
        waiting = wires is self._waiting
        if not (self._domain.accepts_now(key) if waiting else await self._domain.accepts(key)):
            return None
        stored = self._key(key, update=False)
        if stored is None:
            return None
        try:
            value = await self._get(wires, stored)
        except WireError as error:
            if self._backup is None:
                raise self._failed("query", error) from None
            value = None
        if value is not None or self._backup is None:
            return value
        try:
            value = self._backup.find_now(key) if waiting or self._backup.local else await self._backup.find(key)
        except TableError as error:
            raise TableError(f"table {self.name}: query error{str(error).rpartition('query error')[2]}") from None
        if value is not None:
            try:
                await self._set(wires, stored, value)
            except WireError:
                pass  # it was told; the next lookup asks the backup table again
        return value

    # Changes and lists; only commands and proxywrite make them, and they wait

    def _to_change(self, key: str, *, update: bool) -> tuple[str, bytes] | None:
        prepared = self.prepared(key)
        if prepared is None:
            return None
        if not self._domain.accepts_now(prepared):
            if update:
                self._skipped(prepared, "domain mismatch")
            return None
        stored = self._key(prepared, update=update)
        return None if stored is None else (prepared, stored)

    def _change_backup(self, change: Callable[[Changes], T]) -> T | None:
        """Make a change in the backup table, if there is one.  Raises TableError."""
        if self._backup is None:
            return None
        kind, _, name = self._behind.partition(":")
        from pyfix.tables.build import TableBuild, can_build

        if not can_build(kind):
            if not hasattr(self._backup, "store"):
                raise TableError(f"{self._behind} map requires O_RDONLY access mode")
            return change(self._backup)
        from pyfix.tables.source import open_as

        build = TableBuild(kind, name, self.opening, keep=True)
        try:
            result = change(build)
        except BaseException:
            build.abandon()
            raise
        build.finish()
        self._backup.close()
        self._backup = open_as(self._behind, self.opening)
        return result

    def store(self, key: str, value: str) -> None:
        """Set the value of *key* in the backup table and the server.  Raises TableError."""
        wanted = self._to_change(key, update=True)
        if wanted is None:
            return
        name, stored = wanted
        self._change_backup(lambda table: table.put(name, value) if hasattr(table, "put") else table.store(name, value))
        try:
            run_now(self._set(self._waiting, stored, value))
        except WireError as error:
            if self._backup is None:
                raise self._failed("write", error) from None

    def remove(self, key: str) -> bool:
        """Remove *key* from the backup table and the server, and say whether it was there.  Raises TableError."""
        wanted = self._to_change(key, update=False)
        if wanted is None:
            return False
        name, stored = wanted
        removed = self._change_backup(lambda table: table.remove(name))
        request = protocol.delete_request(stored)
        try:
            reply = run_now(self._simple(self._waiting, request, protocol.DELETED, protocol.NOT_FOUND))
        except WireError as error:
            if self._backup is None:
                raise self._failed("delete", error) from None
        else:
            if removed is None:
                return reply == protocol.DELETED
        return bool(removed)

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield all keys and values of the backup table.  Raises TableError."""
        if self._backup is None:
            warn(f"database {self.name}: first/next support requires backup database")
            return
        items: Callable[[], Iterator[tuple[str, str]]] | None = getattr(self._backup, "items", None)
        if items is None:
            raise TableError(f"table {self.name}: sequence operation is not supported")
        yield from items()

    def close(self) -> None:
        """Close the connections and the backup table."""
        super().close()
        if self._backup is not None:
            self._backup.close()
