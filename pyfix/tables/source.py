"""From ``type:name`` to an open lookup table.

Each type stands once in TABLE_TYPES; its module is loaded when a table of that
type is opened first.  Source: DATABASE_README, postconf(1) option -m.
"""

from __future__ import annotations

from pyfix.tables import flags as bits
from pyfix.tables.notice import error, info
from pyfix.tables.table import Opening, Table, TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final

    from pyfix.tables.observed import Tell
    from pyfix.tables.table import Values

TABLE_TYPES: Final[dict[str, tuple[str, str]]] = {
    "btree": ("berkeley", "BtreeTable"),
    "cdb": ("cdb", "CdbTable"),
    "cidr": ("cidr", "CidrTable"),
    "debug": ("composed", "DebugTable"),
    "environ": ("memory", "EnvironTable"),
    "fail": ("memory", "FailTable"),
    "hash": ("berkeley", "HashTable"),
    "inline": ("memory", "InlineTable"),
    "internal": ("memory", "InternalTable"),
    "ldap": ("ldap", "LdapTable"),
    "lmdb": ("lmdb", "LmdbTable"),
    "memcache": ("memcache", "MemcacheTable"),
    "mongodb": ("mongodb", "MongodbTable"),
    "mysql": ("mysql", "MysqlTable"),
    "nis": ("nis", "NisTable"),
    "pcre": ("pcre", "PcreTable"),
    "pgsql": ("pgsql", "PgsqlTable"),
    "pipemap": ("composed", "PipeTable"),
    "proxy": ("proxy", "ProxyTable"),
    "randmap": ("composed", "RandomTable"),
    "regexp": ("regexp", "RegexpTable"),
    "socketmap": ("socketmap", "SocketmapTable"),
    "sqlite": ("sqlite", "SqliteTable"),
    "static": ("memory", "StaticTable"),
    "tcp": ("tcp", "TcpTable"),
    "texthash": ("texthash", "TexthashTable"),
    "unionmap": ("composed", "UnionTable"),
    "unix": ("accounts", "UnixTable"),
}
"""Type -> module of pyfix.tables and class.  ``postconf -m`` lists the keys."""

OWN_TYPES: Final[dict[str, tuple[str, str]]] = {"python": ("python", "PythonTable")}
"""The same, for types that Postfix does not have; each is off until main.cf says otherwise."""

_DEFAULT_TYPE: Final = "hash"
_NO_TYPE: Final = 'open dictionary: expecting "type:name" form instead of "{}"'


def table_class(kind: str, snapshot: Values | None = None) -> type[Table]:
    """Return the class of a table type.  Raises TableError for a type that pyfix does not have, and says why."""
    entry = TABLE_TYPES.get(kind) or OWN_TYPES.get(kind)
    if entry is None:
        from pyfix.tables.plugins import refusal

        raise refusal(kind, snapshot)
    module, name = entry
    try:
        found: type[Table] = getattr(__import__("pyfix.tables." + module, fromlist=[name]), name)
    except ImportError as problem:
        if problem.name != kind:
            raise
        from pyfix.tables.plugins import library_missing

        raise library_missing(kind, f"pip install {kind}") from None
    return found


def with_type(reference: str, snapshot: Values | None) -> str:
    """Return *reference* with default_database_type before it when it has no type."""
    if ":" in reference:
        return reference
    kind = _DEFAULT_TYPE if snapshot is None else snapshot.value("default_database_type")
    return f"{kind}:{reference}"


def open_as(reference: str, opening: Opening) -> Table:
    """Open ``type:name`` afresh.  Raises TableError."""
    kind, _, name = reference.partition(":")
    if not kind or not name:
        raise TableError(_NO_TYPE.format(reference))
    if kind == "proxy" and opening.flags & bits.NO_PROXY:
        # What names users, files or commands is not taken from another process, whatever main.cf says.
        return open_as(name, opening)
    return table_class(kind, opening.snapshot)(name, opening)


_open: Final[dict[tuple[str, int, int], Table]] = {}
_unavailable: Final[dict[tuple[str, int, int], Table]] = {}
_observers: Final[list[Tell]] = []
"""Nobody, or the one who is told of all lookups."""


def open_table(
    reference: str, snapshot: Values | None = None, *, flags: int = bits.ORDINARY, share: bool = True
) -> Table:
    """Return the lookup table that *reference* names, ``type:name`` or ``name`` of default_database_type.

    A table that this process opened before with the same flags is returned again,
    unless *share* is false.  Raises TableError when the table cannot be opened.
    """
    reference = with_type(reference, snapshot)
    if not share:
        return open_as(reference, Opening(snapshot, flags))
    key = (reference, flags, id(snapshot))
    table = _open.get(key)
    if table is None:
        table = open_as(reference, Opening(snapshot, flags))
        if _observers:
            from pyfix.tables.observed import ObservedTable

            table = ObservedTable(table, _observers[0])
        _open[key] = table
    return table


def observe(tell: Tell) -> None:
    """Let *tell* hear of each question to a table that is opened from now on, for the life of this process."""
    _observers[:] = [tell]


def open_or_unavailable(reference: str, snapshot: Values | None = None, *, flags: int = bits.ORDINARY) -> Table:
    """Return the table ``type:name``; one that cannot be opened is logged, and each lookup in it fails.

    Raises ConfigError instead where main.cf says so, and for what is no ``type:name``: default_database_type is for
    commands.  Source: postconf(5) daemon_table_open_error_is_fatal.
    """
    if flags & bits.NO_PROXY:
        reference = reference.removeprefix("proxy:")
    known = _unavailable.get((reference, flags, id(snapshot)))
    if known is not None:
        return known
    kind, _, name = reference.partition(":")
    if not kind or not name:
        from pyfix.config.errors import ConfigError

        raise ConfigError(_NO_TYPE.format(reference))
    try:
        return open_table(reference, snapshot, flags=flags)
    except TableError as problem:
        known_type = kind in TABLE_TYPES or kind in OWN_TYPES
        return unavailable(reference, snapshot, str(problem), flags=flags, again=known_type)


def unavailable(
    reference: str, snapshot: Values | None, reason: str, *, flags: int = bits.ORDINARY, again: bool = True
) -> Table:
    """Log *reason*, once, and return a table whose lookups fail; with *again* it tries to be opened later.

    Raises ConfigError instead where main.cf says so.  Source: postconf(5) daemon_table_open_error_is_fatal.
    """
    key = (reference, flags, id(snapshot))
    table = _unavailable.get(key)
    if table is None:
        if snapshot is not None and snapshot.value("daemon_table_open_error_is_fatal").lower() == "yes":
            from pyfix.config.errors import ConfigError

            raise ConfigError(reason)
        error(reason)
        table = _unavailable[key] = UnavailableTable(reference, Opening(snapshot, flags), reason, again=again)
    return table


def open_tables() -> tuple[Table, ...]:
    """Return the shared tables that are open."""
    return tuple(_open.values())


def changed_table() -> str | None:
    """Return the name, with flags, of an open table whose file changed since it was opened.

    The text is what Postfix's daemons log before they restart: "table NAME(0,lock|fold_fix) has changed -- restarting".
    """
    for (reference, flags, _), table in _open.items():
        if table.changed():
            return f"{reference}(0,{bits.describe(flags)})"
    return None


def restart_if_changed() -> bool:
    """Say, and log, that a table changed and the process should make place for a new one."""
    name = changed_table()
    if name is None:
        return False
    info(f"table {name} has changed -- restarting")
    return True


def forget_tables() -> None:
    """Close every shared table."""
    for table in _open.values():
        table.close()
    _open.clear()
    _unavailable.clear()


class UnavailableTable(Table):
    """Stands for a table that could not be opened; tries again, at most once a second."""

    local = False  # what is opened later may be none that answers at once

    def __init__(self, reference: str, opening: Opening, reason: str, *, again: bool = True) -> None:
        self.kind = reference.partition(":")[0]
        super().__init__(reference.partition(":")[2], opening)
        self.flags = opening.flags | bits.PATTERN | bits.DUP_WARN
        self._reason = reason
        self._again: Final = again
        self._table: Table | None = None
        self._tried = 0.0

    def _opened(self) -> Table:
        """Open the table if that goes now.  Raises TableError."""
        if self._table is None:
            from time import monotonic

            from pyfix.tables.notice import warn

            now = monotonic()
            if self._again and now - self._tried >= 1.0:
                self._tried = now
                try:
                    self._table = open_table(self.name, self.opening.snapshot, flags=self.opening.flags)
                except TableError as problem:
                    self._reason = str(problem)
            if self._table is None:
                warn(f"{self.name} is unavailable. {self._reason}")
                raise TableError(f"{self.name} is unavailable. {self._reason}")
        return self._table

    def find_now(self, key: str) -> str | None:
        """Open the table if that goes now, and ask it.  Raises TableError."""
        return self._opened().find_now(key)

    async def find(self, key: str) -> str | None:
        """Open the table if that goes now, and ask it.  Raises TableError."""
        return await self._opened().find(key)
