"""proxy: tables that proxymap(8) opens for many processes, and that it can reach from outside a jail.

In the event loop a lookup waits for proxymap as a coroutine; commands, which have no
event loop, wait for it on a blocking socket.  Source: proxymap(8).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NoReturn, Protocol, TypeVar

from pyfix.formats.attributes import AttributeListError, Attributes
from pyfix.protocols.internal.proxymap import (
    DENIED,
    NO_KEY,
    OK,
    PROTOCOL,
    Delete,
    Found,
    Lookup,
    NextEntry,
    Sequence,
    TableStatus,
    Update,
)
from pyfix.tables import flags as bits
from pyfix.tables.table import Opening, Table, TableError

if TYPE_CHECKING:
    from pyfix.runtime.ipc import Service
    from pyfix.runtime.ipc_sync import Connection

Reply = TypeVar("Reply", bound=Attributes)

_PATTERNS: Final = ("regexp:", "pcre:", "cidr:")
_TO_SERVER: Final = (
    bits.DUP_WARN | bits.DUP_IGNORE | bits.DUP_REPLACE | bits.LOCK | bits.FOLD_FIX | bits.FOLD_MUL
    | bits.PARANOID | bits.UTF8_REQUEST | bits.SRC_RHS_IS_FILE
)  # fmt: skip
_FIRST, _NEXT = 0, 1


class ProxyAsker(Protocol):
    """How lookups reach proxymap from the event loop."""

    async def lookup(self, table: str, flags: int, key: str) -> str | None:
        """Return the value of *key* in *table*, which is named without ``proxy:``.  Raises TableError."""
        ...


_asker: list[ProxyAsker] = []


def ask_with(asker: ProxyAsker | None) -> None:
    """Let lookups of this process go through *asker*; None: to the service that main.cf names."""
    _asker[:] = [] if asker is None else [asker]


def _refuse(service: str, table: str, status: int) -> NoReturn:
    if status == DENIED:
        raise TableError(f'{service} service is not configured for table "{table}"')
    raise TableError(f"table proxy:{table}: query error")


def _value(service: str, table: str, reply: Found) -> str | None:
    if reply.status == OK:
        return reply.value
    if reply.status == NO_KEY:
        return None
    _refuse(service, table, reply.status)


class LoopAsker:
    """Asks the service proxymap over connections that are kept."""

    def __init__(self, path: str, *, timeout: float, idle: float, ttl: float) -> None:
        from pyfix.runtime.ipc import Service

        self._service: Final[Service] = Service(path, PROTOCOL, timeout=timeout, idle=idle, ttl=ttl)
        self._name: Final = os.path.basename(path)

    async def lookup(self, table: str, flags: int, key: str) -> str | None:
        """Return the value of *key*.  Raises TableError."""
        from pyfix.runtime.ipc import ServiceError

        try:
            reply = await self._service.ask(Lookup(table, flags, flags, key), Found)
        except ServiceError as error:
            raise TableError(f"table proxy:{table}: query error: {error}") from error
        return _value(self._name, table, reply)


class ProxyTable(Table):
    """``proxy:type:name``."""

    kind = "proxy"
    local = False
    folds = False

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        if opening.flags & bits.NO_PROXY:
            raise TableError(f"proxy:{name}: proxy map is not allowed for security sensitive data")
        self._table: Final = name
        self.pattern = name.startswith(_PATTERNS)
        self._request_flags: Final = opening.flags & _TO_SERVER
        self._connection: Connection | None = None

    async def find(self, key: str) -> str | None:
        """Ask proxymap.  Raises TableError."""
        if not _asker:
            seconds = self._seconds
            _asker.append(
                LoopAsker(
                    self._path("proxymap_service_name", "proxymap"),
                    timeout=seconds("ipc_timeout", 3600),
                    idle=seconds("ipc_idle", 5),
                    ttl=seconds("ipc_ttl", 1000),
                )
            )
        return await _asker[0].lookup(self._table, self._request_flags, key)

    def _seconds(self, name: str, default: int) -> int:
        """Return the value of a time parameter that every program reads."""
        if self.opening.snapshot is None:
            return default
        from pyfix.config.parameters.mail import MailSettings
        from pyfix.config.snapshot import Snapshot

        if not isinstance(self.opening.snapshot, Snapshot):
            return default
        seconds: int = getattr(MailSettings(self.opening.snapshot), name)
        return seconds

    def _path(self, parameter: str, default: str) -> str:
        """Return where the service's socket is: below the working directory of daemons, else the queue directory."""
        path = f"private/{self.opening.setting(parameter, default)}"
        if os.access(path, os.W_OK):
            return path
        return os.path.join(self.opening.setting("queue_directory", "/var/spool/postfix"), path)

    # Without an event loop

    def _ask_now(self, path: str, request: Attributes, reply: type[Reply]) -> Reply:
        from pyfix.runtime.ipc_sync import Connection

        fresh = self._connection is None
        try:
            if self._connection is None:
                self._connection = Connection(path, self._seconds("ipc_timeout", 3600))
                self._connection.expect_handshake(PROTOCOL)
            return self._connection.ask(request, reply)
        except (OSError, AttributeListError) as error:
            self.close()
            if not fresh:  # the server closed it meanwhile, as it does when it was idle
                return self._ask_now(path, request, reply)
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise TableError(f"connect to subsystem {path}: {reason}") from error

    def _reading(self) -> str:
        return self._path("proxymap_service_name", "proxymap")

    def _writing(self) -> str:
        return self._path("proxywrite_service_name", "proxywrite")

    def find_now(self, key: str) -> str | None:
        """Ask proxymap, and block until it answers.  Raises TableError."""
        flags = self._request_flags
        reply = self._ask_now(self._reading(), Lookup(self._table, flags, flags, key), Found)
        return _value("proxymap", self._table, reply)

    def store(self, key: str, value: str) -> None:
        """Set the value of *key* through proxywrite, and block until that is done.  Raises TableError."""
        flags = self._request_flags
        reply = self._ask_now(self._writing(), Update(self._table, flags, flags, key, value), TableStatus)
        if reply.status not in (OK, NO_KEY):
            _refuse("proxywrite", self._table, reply.status)

    def remove(self, key: str) -> bool:
        """Remove *key* through proxywrite, and say whether it was there.  Raises TableError."""
        flags = self._request_flags
        reply = self._ask_now(self._writing(), Delete(self._table, flags, flags, key), TableStatus)
        if reply.status not in (OK, NO_KEY):
            _refuse("proxywrite", self._table, reply.status)
        return reply.status == OK

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield all keys and values, blocking for each.  Raises TableError."""
        flags = self._request_flags
        function = _FIRST
        while True:
            reply = self._ask_now(self._reading(), Sequence(self._table, flags, flags, function), NextEntry)
            if reply.status == NO_KEY:
                return
            if reply.status != OK:
                _refuse("proxymap", self._table, reply.status)
            yield reply.key, reply.value
            function = _NEXT

    def close(self) -> None:
        """Close the connection that commands use."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
