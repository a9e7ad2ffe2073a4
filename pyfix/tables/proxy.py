"""proxy: a table that proxymap(8) has open on behalf of all daemons.

``proxy:unix:passwd.byname`` is asked where it stands behind a chroot, or when a thousand processes would each keep a
connection of their own.  Source: proxymap(8), DATABASE_README.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.parameter import parse_duration
from pyfix.formats.attributes import AttributeListError
from pyfix.protocols.internal.proxymap import BAD, DENIED, NO_KEY, OK, PROTOCOL, Found, Lookup
from pyfix.runtime import ipc_sync
from pyfix.tables import flags as bits
from pyfix.tables.notice import warn
from pyfix.tables.table import Opening, Table, TableError, fail_query, fold

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from pyfix.runtime.ipc import Service

_PATTERNS: Final = frozenset({"regexp", "pcre", "cidr"})
"""Types that are asked for whole keys only; the table itself is open in the other process."""


class ProxyTable(Table):
    """The client's side of one table of proxymap(8); nothing is asked before the first lookup."""

    kind = "proxy"
    local = False

    def __init__(self, name: str, opening: Opening) -> None:
        """*name* is the whole ``type:name`` of the other table.

        Raises TableError where the table would name users, files or commands.
        """
        if opening.flags & bits.NO_PROXY:
            raise TableError("proxy map is not allowed for security-sensitive data")
        self.pattern = name.partition(":")[0] in _PATTERNS
        super().__init__(name, opening)
        self._table: Final = name
        service = opening.setting("proxymap_service_name", "proxymap")
        self._path: Final = f"private/{service}"
        self._timeout: Final = parse_duration("ipc_timeout", opening.setting("ipc_timeout", "3600s"), "s")
        self._request_flags: Final = self.flags | (bits.UTF8_ACTIVE if self.utf8 else 0)
        self._service: Service | None = None
        self._connection: ipc_sync.Connection | None = None

    def _question(self, key: str) -> Lookup:
        asked = fold(key, self.utf8) if self.fold else key
        return Lookup(table=self._table, instance_flags=self.opening.flags, flags=self._request_flags, key=asked)

    def _value(self, key: str, answer: Found) -> str | None:
        if answer.status == OK:
            return answer.value
        if answer.status == NO_KEY:
            return None
        if answer.status == DENIED:
            warn(f'{self._path} service is not configured for table "{self._table}"')
        elif answer.status == BAD:
            warn(f'{self._path} lookup failed for table "{self._table}" key "{key}": invalid request')
        return fail_query(self)

    async def find(self, key: str) -> str | None:
        """Ask over a connection that is kept.  Raises TableError."""
        from pyfix.runtime.ipc import Service, ServiceError  # a command has no event loop

        if self._service is None:
            self._service = _services.get(self._path)
            if self._service is None:
                self._service = _services[self._path] = Service(self._path, PROTOCOL, timeout=self._timeout)
        try:
            return self._value(key, await self._service.ask(self._question(key), Found))
        except ServiceError as error:
            warn(f"table {self.name}: {error}")
            fail_query(self)

    def find_now(self, key: str) -> str | None:
        """Ask and wait for the answer; the whole process waits.  Raises TableError."""
        return self._value(key, self._ask_now(self._question(key)))

    def _ask_now(self, question: Lookup) -> Found:
        """Ask over the kept connection; over a new one if that was closed meanwhile."""
        kept, self._connection = self._connection, None
        if kept is not None:
            try:
                answer = kept.ask(question, Found)
            except (OSError, AttributeListError):
                kept.close()
            else:
                self._connection = kept
                return answer
        try:
            connection = ipc_sync.Connection(self._socket(), self._timeout)
            try:
                connection.expect_handshake(PROTOCOL)
                answer = connection.ask(question, Found)
            except BaseException:
                connection.close()
                raise
        except (OSError, AttributeListError) as error:
            warn(f"table {self.name}: connect to {self._path}: {getattr(error, 'strerror', None) or error}")
            fail_query(self)
        self._connection = connection
        return answer

    def _socket(self) -> str:
        """Daemons work in queue_directory, maybe inside a chroot; commands do not."""
        import os

        directory = self.opening.setting("queue_directory", "")
        return self._path if not directory or os.path.exists(self._path) else f"{directory}/{self._path}"

    def close(self) -> None:
        """Close the connection of find_now."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


_services: Final[dict[str, Service]] = {}
"""One set of connections a process, whatever the number of tables."""
