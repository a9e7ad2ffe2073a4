"""What tables of SQL servers share: the list of hosts, connections that are kept, and hosts that rest after a failure.

Source: mysql_table(5), pgsql_table(5).
"""

from __future__ import annotations

import os
import random
import threading
import time

from pyfix.tables.notice import warn
from pyfix.tables.queried import QueriedTable
from pyfix.tables.table import Opening, TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final


class ServerFailed(Exception):
    """A server can't be used now; the text is for a warning."""


class Host:
    """One server, and the connections to it that nobody uses."""

    __slots__ = ("active", "address", "again", "idle", "local", "name")

    def __init__(self, name: str, address: str, *, local: bool) -> None:
        """*name* as the configuration has it, *address* without the transport; *local*: a Unix-domain socket."""
        self.name: Final = name
        self.address: Final = address
        self.local: Final = local
        self.active = False
        self.again = 0.0
        """Not to be tried before this time."""
        self.idle: list[tuple[Any, float]] = []


class Hosts:
    """The servers of one table, for several threads."""

    def __init__(self, hosts: Sequence[Host], idle: float, retry: float, close: Callable[[Any], None]) -> None:
        """*idle*: seconds that an unused connection is kept; *retry*: seconds that a host rests after a failure."""
        self.all: Final = list(hosts)
        self.idle: Final = idle
        self._retry: Final = retry
        self._close: Final = close
        self._lock: Final = threading.Lock()
        self._owner = os.getpid()

    def choose(self) -> Host | None:
        """Return a host to ask: one that answered before, else one that may be tried; sockets before networks."""
        now = time.monotonic()
        with self._lock:
            usable = [host for host in self.all if host.active] or [host for host in self.all if host.again <= now]
        chosen = [host for host in usable if host.local] or usable
        return random.choice(chosen) if chosen else None

    def take(self, host: Host) -> Any:
        """Return a connection that is kept, None when there is none."""
        with self._lock:
            if self._owner != os.getpid():  # a child must not talk over its parent's connections
                self._owner = os.getpid()
                for every in self.all:
                    every.idle.clear()
            now = time.monotonic()
            while host.idle:
                connection, used = host.idle.pop()
                if now - used <= self.idle:
                    return connection
                self._close(connection)
        return None

    def answered(self, host: Host, connection: Any) -> None:
        """Keep a connection that works."""
        with self._lock:
            host.active = True
            host.idle.append((connection, time.monotonic()))

    def failed(self, host: Host) -> None:
        """Let a host rest, and close its connections."""
        with self._lock:
            host.active = False
            host.again = time.monotonic() + self._retry
            self._close_all(host)

    def _close_all(self, host: Host) -> None:
        while host.idle:
            self._close(host.idle.pop()[0])

    def sweep(self) -> bool:
        """Close the connections that were idle for too long, and say whether others are left."""
        with self._lock:
            now = time.monotonic()
            for host in self.all:
                for entry in [entry for entry in host.idle if now - entry[1] >= self.idle]:
                    host.idle.remove(entry)
                    self._close(entry[0])
            return any(host.idle for host in self.all)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for host in self.all:
                self._close_all(host)


class SqlTable(QueriedTable):
    """A table of a SQL server; a type gives ``connect``, ``run`` and ``hang_up``."""

    takes_any_bytes = True

    _colon = ":"

    __slots__ = ("_sweeping", "hosts")

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        self._sweeping = False

    def use(self, hosts: Sequence[Host]) -> None:
        """Take these hosts.  A single one is a load balancer, and asked again at once after a failure."""
        if len(hosts) == 1:
            only = hosts[0]
            hosts = [only, Host(only.name, only.address, local=only.local)]
        idle = self.parameters.integer("idle_interval", 60, least=1)
        retry = self.parameters.integer("retry_interval", 60, least=1)
        self.hosts = Hosts(hosts, idle, retry, self.hang_up)

    def connect(self, host: Host) -> Any:
        """Return a connection.  Raises ServerFailed."""
        raise NotImplementedError  # for the subclass

    def run(self, connection: Any, host: Host, key: str) -> list[str | None] | None:
        """Return all columns of all rows for *key*, None when there is nothing to ask.  Raises ServerFailed."""
        raise NotImplementedError  # for the subclass

    def hang_up(self, connection: Any) -> None:
        """Close a connection."""
        raise NotImplementedError  # for the subclass

    def query(self, key: str) -> str | None:
        """Ask one host after the other until one answers.  Raises TableError."""
        while (host := self.hosts.choose()) is not None:
            connection = self.hosts.take(host)
            try:
                if connection is None:
                    connection = self.connect(host)
                values = self.run(connection, host, key)
            except ServerFailed as error:
                warn(str(error))
                self.hosts.failed(host)
                if connection is not None:
                    self.hang_up(connection)
                continue
            except BaseException:
                if connection is not None:
                    self.hang_up(connection)
                raise
            self.hosts.answered(host, connection)
            if values is None:
                return None
            return self.joined(values, key, f"dict_{self.kind}_lookup: {self.parameters.name}: ")
        raise TableError(f"table {self.name}: query error")

    async def find(self, key: str) -> str | None:
        """Ask in a thread, while the event loop goes on; close connections when they are idle for too long."""
        try:
            return await super().find(key)
        finally:
            if not self._sweeping:
                self._sweeping = True
                self._sweep_later()

    def _sweep_later(self) -> None:
        from pyfix.runtime.loop import current

        current().later(self.hosts.idle, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = self.hosts.sweep()
        if self._sweeping:
            self._sweep_later()

    def close(self) -> None:
        """Close the connections."""
        self.hosts.close()


def host_words(parameters_hosts: str) -> list[str]:
    """Return the hosts of the parameter, ``localhost`` when there are none."""
    return parameters_hosts.replace(",", " ").split() or ["localhost"]


def library_missing(kind: str, extra: str) -> TableError:
    """Return the error of a type whose library is not installed, which is that of a type that is not there."""
    from pyfix.tables import plugins

    return plugins.library_missing(kind, f"pip install 'pyfix[{extra}]'")
