"""proxy: a table that proxymap(8) has open on behalf of all daemons.

``proxy:unix:passwd.byname`` is asked where it stands behind a chroot, or when a thousand processes would each keep a
connection of their own.  In the event loop a lookup waits as a coroutine; commands, which have no event loop, wait on
a blocking socket.  Source: proxymap(8), DATABASE_README.
"""

from __future__ import annotations

import os
from typing import Final

from pyfix.config.parameter import parse_duration
from pyfix.formats.attributes import AttributeListError, Attributes
from pyfix.protocols.internal.proxymap import (
    BAD,
    DENIED,
    NO_KEY,
    OK,
    PROTOCOL,
    Delete,
    Delete37,
    Found,
    Found37,
    Lookup,
    Lookup37,
    NextEntry,
    NextEntry37,
    Open,
    Sequence,
    Sequence37,
    StatusReply,
    TableStatus,
    Update,
    Update37,
)
from pyfix.runtime import ipc_sync
from pyfix.tables import flags as bits
from pyfix.tables.notice import warn
from pyfix.tables.table import Opening, Table, fail_query, fold

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn, Protocol, TypeVar

    from pyfix.runtime.ipc import Service

    Reply = TypeVar("Reply", bound=Attributes)

    class ProxyAsker(Protocol):
        """How lookups reach proxymap from the event loop."""

        async def lookup(self, table: str, flags: int, key: str) -> str | None:
            """Return the value of *key* in *table*, which is named without ``proxy:``.  Raises TableError."""
            ...


_PATTERNS: Final = frozenset({"regexp", "pcre", "cidr"})
"""Types that are asked for whole keys only; the table itself is open in the other process."""
_FIRST, _NEXT = 0, 1

_asker: list[ProxyAsker] = []


def ask_with(asker: ProxyAsker | None) -> None:
    """Let the lookups of this process's event loop go through *asker*; None: to the service that main.cf names."""
    _asker[:] = [] if asker is None else [asker]


class ProxyTable(Table):
    """The client's side of one table of proxymap(8); nothing is asked before the first lookup."""

    kind = "proxy"
    local = False

    def __init__(self, name: str, opening: Opening) -> None:
        """*name* is the whole ``type:name`` of the other table."""
        self.pattern = name.partition(":")[0] in _PATTERNS
        super().__init__(name, opening)
        self._table: Final = name
        self._path = f"private/{opening.setting('proxymap_service_name', 'proxymap')}"
        self._timeout: Final = self._seconds("ipc_timeout", "3600s")
        # Who opens a table of ours by itself decides for one of these or both; the other process takes what it is told.
        ending = 0 if self.flags & (bits.TRY0NULL | bits.TRY1NULL) else bits.TRY0NULL | bits.TRY1NULL
        self._request_flags: Final = self.flags | ending | (bits.UTF8_ACTIVE if self.utf8 else 0)
        self._for_37: Final = opening.setting("pyfix_internal_protocol", "") == "3.7"
        self._service: Service | None = None
        self._connections: Final[dict[str, ipc_sync.Connection]] = {}

    def _seconds(self, name: str, default: str) -> int:
        return parse_duration(name, self.opening.setting(name, default), "s")

    def _key(self, key: str) -> str:
        return fold(key, self.utf8) if self.fold else key

    @property
    def _flags_37(self) -> int:
        return self.opening.flags | self._request_flags

    def _question(self, key: str) -> Lookup | Lookup37:
        if self._for_37:
            return Lookup37(self._table, self._flags_37, self._key(key))
        return Lookup(self._table, self.opening.flags, self._request_flags, self._key(key))

    def _value(self, key: str, answer: Found | Found37) -> str | None:
        if answer.status == OK:
            return answer.value
        if answer.status == NO_KEY:
            return None
        return self._refused(self._path, key, answer.status)

    def _refused(self, path: str, key: str, status: int) -> NoReturn:
        if status == DENIED:
            warn(f'{path} service is not configured for table "{self._table}"')
        elif status == BAD:
            warn(f'{path} lookup failed for table "{self._table}" key "{key}": invalid request')
        fail_query(self)

    async def find(self, key: str) -> str | None:
        """Ask over a connection that is kept.  Raises TableError."""
        if _asker:
            return await _asker[0].lookup(self._table, self._request_flags, self._key(key))
        from pyfix.runtime.ipc import Service, ServiceError  # a command has no event loop

        if self._service is None:
            self._service = _services.get(self._path)
            if self._service is None:
                self._service = _services[self._path] = Service(
                    self._path,
                    PROTOCOL,
                    timeout=self._timeout,
                    idle=self._seconds("ipc_idle", "5s"),
                    ttl=self._seconds("ipc_ttl", "1000s"),
                )
        try:
            if self._for_37:
                return self._value(key, await self._service.ask(self._question(key), Found37))
            return self._value(key, await self._service.ask(self._question(key), Found))
        except ServiceError as error:
            warn(f"table {self.name}: {error}")
            fail_query(self)

    # Without an event loop: the whole process waits

    def find_now(self, key: str) -> str | None:
        """Ask and wait for the answer; the whole process waits.  Raises TableError."""
        if self._for_37:
            return self._value(key, self._ask_now(self._path, self._question(key), Found37))
        return self._value(key, self._ask_now(self._path, self._question(key), Found))

    def _ask_now(self, path: str, question: Attributes, reply: type[Reply]) -> Reply:
        """Ask over the kept connection; over a new one if that was closed meanwhile."""
        kept = self._connections.pop(path, None)
        if kept is not None:
            try:
                answer = kept.ask(question, reply)
            except (OSError, AttributeListError):
                kept.close()
            else:
                self._connections[path] = kept
                return answer
        try:
            connection = ipc_sync.Connection(self._socket(path), self._timeout)
            try:
                connection.expect_handshake(PROTOCOL)
                answer = connection.ask(question, reply)
            except BaseException:
                connection.close()
                raise
        except (OSError, AttributeListError) as error:
            warn(f"table {self.name}: connect to {path}: {getattr(error, 'strerror', None) or error}")
            fail_query(self)
        self._connections[path] = connection
        return answer

    def _socket(self, path: str) -> str:
        """Daemons work in queue_directory, maybe inside a chroot; commands do not."""
        directory = self.opening.setting("queue_directory", "")
        return path if not directory or os.path.exists(path) else f"{directory}/{path}"

    def ask_writer(self) -> None:
        """Ask proxywrite for lookups, too: it alone opens what others change."""
        self._path = self._writing()

    def make(self) -> None:
        """Have proxywrite make the table if it is not there.  Raises TableError."""
        flags = self._flags_37 if self._for_37 else self.opening.flags
        answer = self._ask_now(self._writing(), Open(self._table, flags), TableStatus)
        if answer.status != OK:
            self._refused(self._writing(), "", answer.status)

    def _writing(self) -> str:
        return f"private/{self.opening.setting('proxywrite_service_name', 'proxywrite')}"

    def _written(self, key: str, question: Attributes) -> int:
        path = self._writing()
        if self._for_37:
            status = self._ask_now(path, question, StatusReply).status
        else:
            status = self._ask_now(path, question, TableStatus).status
        if status not in (OK, NO_KEY):
            self._refused(path, key, status)
        return status

    def store(self, key: str, value: str) -> None:
        """Set the value of *key* through proxywrite.  Raises TableError."""
        if self._for_37:
            self._written(key, Update37(self._table, self._flags_37, self._key(key), value))
            return
        self._written(key, Update(self._table, self.opening.flags, self._request_flags, self._key(key), value))

    def remove(self, key: str) -> bool:
        """Remove *key* through proxywrite, and say whether it was there.  Raises TableError."""
        if self._for_37:
            return self._written(key, Delete37(self._table, self._flags_37, self._key(key))) == OK
        return self._written(key, Delete(self._table, self.opening.flags, self._request_flags, self._key(key))) == OK

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield all keys and values, with a question for each.  Raises TableError."""
        function = _FIRST
        while True:
            answer: NextEntry | NextEntry37
            if self._for_37:
                old = Sequence37(self._table, self._flags_37, function)
                answer = self._ask_now(self._path, old, NextEntry37)
            else:
                question = Sequence(self._table, self.opening.flags, self._request_flags, function)
                answer = self._ask_now(self._path, question, NextEntry)
            if answer.status == NO_KEY:
                return
            if answer.status != OK:
                self._refused(self._path, "", answer.status)
            yield answer.key, answer.value
            function = _NEXT

    def close(self) -> None:
        """Close the connections of find_now()."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()


_services: Final[dict[str, Service]] = {}
"""One set of connections a process, whatever the number of tables."""
