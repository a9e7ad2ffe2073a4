"""ldap: directories, through OpenLDAP's client library.

Source: ldap_table(5).
"""

from __future__ import annotations

from pyfix.formats.ldapurl import LdapUrlError, is_ldap_url, parse_ldap_url
from pyfix.tables.ldap_server import (
    NO_SUCH_OBJECT,
    SERVER_DOWN,
    Connection,
    LdapFailed,
    NotReached,
    ServerSettings,
    connections,
    library,
    reason_of,
)
from pyfix.tables.notice import warn
from pyfix.tables.queried import QueriedTable, value_text
from pyfix.tables.table import Opening, fail_query
from pyfix.tables.template import Template

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from pyfix.tables.ldap_server import Entries

_BASE: Final = 0
_SCOPES: Final = {"base": 0, "one": 1, "sub": 2}
_ALL: Final = "(objectclass=*)"


class LdapTable(QueriedTable):
    """``ldap:/file.cf``: the values of some attributes of the entries that a filter finds, and of those they name."""

    kind = "ldap"

    __slots__ = ("_base", "_filter", "_scope", "_servers", "attributes", "depth", "size")

    def __init__(self, name: str, opening: Opening) -> None:
        library()
        super().__init__(name, opening)
        parameters, text = self.parameters, self.parameters.text
        shown = f"dict_ldap_open: {parameters.name}"
        settings = ServerSettings(parameters)
        scope = text("scope", "sub", least=1)
        if scope.lower() not in _SCOPES:
            warn(f"{shown}: Unrecognized value {scope} specified for scope; using sub")
        self._scope: Final = _SCOPES.get(scope.lower(), _SCOPES["sub"])
        base = text("search_base")
        settings.read_timeout(parameters)
        query = text("query_filter", "(mailacceptinggeneralid=%s)")
        self._base: Final = Template(base, parameters.name)
        self._filter: Final = Template(query, parameters.name)
        if not self._filter.varies:
            warn(f"{shown}: Fixed query_filter {query} is probably useless")
        self.read_result_parameters(text("result_format") or text("result_filter", "%s", least=1))
        terminal, leaf = text("terminal_result_attribute"), text("leaf_result_attribute")
        ordinary, special = text("result_attribute", "maildrop"), text("special_result_attribute")
        self.attributes: Final = Attributes(terminal, leaf, ordinary, special)
        settings.read_binding(parameters)
        if parameters.boolean("cache", False):
            warn(f"{shown} ignoring cache")
        for ignored in ("cache_expiry", "cache_size"):
            if parameters.integer(ignored, -1) >= 0:
                warn(f"{shown} ignoring {ignored}")
        self.depth: Final = parameters.integer("recursion_limit", 1000, least=1)
        self.size: Final = parameters.integer("size_limit", self.limit)
        settings.read_options(parameters)
        self._servers: Final = connections(settings)

    def query(self, key: str) -> str | None:
        """Search, over a connection that is kept or a new one.  Raises TableError."""
        base = self._base.expand(key, quote=quote_name)
        words = self._filter.expand(key, quote=quote_filter)
        if base is None or words is None:
            return None
        try:
            connection, entries = self._search(base, words)
        except NotReached:
            fail_query(self)
        if entries is None:
            return None
        expansion = Expansion(self, connection, key)
        expansion.add(entries)
        if connection.reason:
            warn(f"dict_ldap_lookup: Had some trouble with entries returned by search: {connection.reason}")
        self._servers.keep(connection)
        if expansion.failed:
            fail_query(self)
        return ",".join(expansion.results) or None

    def _search(self, base: str, words: str) -> tuple[Connection, Entries | None]:
        """Return what is found, None where the base of the search depends on the key and is not there.

        Raises TableError, NotReached.
        """
        connection = self._servers.take()
        names, fresh = self.attributes.names, False
        while True:
            try:
                return connection, connection.search(base, self._scope, words, names, self.size)
            except LdapFailed as problem:
                if problem.code == SERVER_DOWN and not fresh:  # perhaps it left while nobody asked
                    connection.close()
                    connection, fresh = self._servers.connect(), True
                    continue
                if problem.code != NO_SUCH_OBJECT:
                    connection.close()
                    warn(f"dict_ldap_lookup: Search error {problem.code}: {problem} ")
                    fail_query(self)
                self._servers.keep(connection)
                if self._base.varies:
                    return connection, None
                where = f"{self.parameters.name}: Search base '{base}' not found"
                warn(f"dict_ldap_lookup: {where}: {problem.code}: {problem}")
                fail_query(self)

    def close(self) -> None:
        """Close the connections."""
        self._servers.close()


_IN_FILTERS: Final = {ord(c): f"\\{ord(c):02x}" for c in "\0()*\\"}
_IN_NAMES: Final = {ord(c): f"\\{ord(c):02x}" for c in '\0"#+,;<=>\\ \t'}


def quote_filter(text: str) -> str:
    """Return *text* as a value in a filter.  Source: RFC 4515 section 3."""
    return text.translate(_IN_FILTERS)


def quote_name(text: str) -> str:
    """Return *text* as a value in a distinguished name.  Source: RFC 4514 section 2.4."""
    return text.translate(_IN_NAMES)


class Attributes:
    """The attributes that a table asks for: terminal, leaf, ordinary and special ones."""

    __slots__ = ("_kinds", "has_special", "has_terminal", "names")

    def __init__(self, terminal: str, leaf: str, ordinary: str, special: str) -> None:
        words = [text.replace(",", " ").split() for text in (terminal, leaf, ordinary, special)]
        self.names: Final = [name for some in words for name in some]
        kinds = ("terminal", "leaf", "ordinary", "special")
        self._kinds: Final = [(name.lower(), kind) for kind, some in zip(kinds, words, strict=True) for name in some]
        self.has_terminal: Final = bool(words[0])
        self.has_special: Final = bool(words[3])

    def kind(self, name: str) -> str | None:
        """Return what kind of attribute *name*, perhaps with options, is; None for one that nobody asked for."""
        return next((kind for known, kind in self._kinds if is_subtype(name.lower(), known)), None)

    def selected(self, wanted: Sequence[str]) -> list[str]:
        """Return what to ask for where a URL wants some attributes; all of the table's when it wants none."""
        if not wanted:
            return self.names
        found: list[str] = []
        for one in wanted:
            for name in self.names:
                if is_subtype(one.lower(), name.lower()):
                    found.append(one)
                elif is_subtype(name.lower(), one.lower()):
                    found.append(name)
        return found


def is_subtype(name: str, of: str) -> bool:
    """Say whether attribute *name* is *of*, or that with options.  Source: RFC 4512 section 2.5."""
    return name == of or name.startswith(of + ";")


class Expansion:
    """Collects the results of one lookup, going from entry to entry."""

    def __init__(self, table: LdapTable, connection: Connection, key: str) -> None:
        self._table: Final = table
        self._connection: Final = connection
        self._key: Final = key
        self.results: Final[list[str]] = []
        self.failed = False

    def add(self, entries: Entries) -> None:
        """Add what *entries* give, and what they name, in the order in which it is found."""
        waiting = [self._walk(entries, 1)]
        while waiting:  # and no recursion: a thousand levels are allowed
            named = next(waiting[-1], None)
            if named is None:
                waiting.pop()
            else:
                waiting.append(self._walk(named, len(waiting) + 1))

    def _walk(self, entries: Entries, depth: int) -> Iterator[Entries]:
        """Add what *entries* give, and yield the entries that they name."""
        shown = f"dict_ldap_get_values[{depth}]: {self._table.parameters.name}"
        for number, (_, attributes) in enumerate([entry for entry in entries if entry[0] is not None]):
            if 0 < self._table.size <= number:
                self._fail(f"{shown}: Query size limit ({self._table.size}) exceeded")
            kinds = {name: self._table.attributes.kind(name) for name, values in attributes.items() if values}
            terminal = "terminal" in kinds.values()
            leaf = "special" not in kinds.values()
            for name, kind in kinds.items():
                if self.failed:
                    return
                if kind is None or (terminal and kind != "terminal") or (kind == "leaf" and not leaf):
                    continue
                values = [value_text(value) or "" for value in attributes[name]]
                if kind != "special":
                    self._add_values(values, shown)
                elif depth < self._table.depth:
                    yield from self._follow(values, depth)
                else:
                    self._fail(f"{shown}: Recursion limit exceeded for special attribute {name}={values[0]}")

    def _fail(self, text: str) -> None:
        warn(text)
        self.failed = True

    def _add_values(self, values: Sequence[str], shown: str) -> None:
        table = self._table
        for value in values:
            if not value:
                warn(f'table "{table.name}": empty lookup result for: "{self._key}" -- ignored')
                continue
            result = table.result_format.expand(value, self._key)
            if result is None:
                continue
            if 0 < table.limit <= len(self.results):
                self._fail(f"{shown}: Expansion limit exceeded for key: '{self._key}'")
                return
            self.results.append(result)

    def _follow(self, values: Sequence[str], depth: int) -> Iterator[Entries]:
        """Look up what the values of a special attribute name, and yield it."""
        shown = f"dict_ldap_get_values[{depth}]"
        for value in values:
            if self.failed:
                return
            try:
                entries = self._named(value)
            except LdapUrlError as problem:
                self._fail(f"{shown}: malformed URL {value}: {reason_of(problem.code)}({problem.code})")
            except LdapFailed as problem:
                if problem.code == NO_SUCH_OBJECT:
                    warn(f"{shown}: DN {value} not found, skipping ")
                else:
                    self._fail(f"{shown}: search error {problem.code}: {problem} ")
            else:
                yield entries

    def _named(self, value: str) -> Entries:
        """Return the entries that a name or a URL stands for.  Raises LdapUrlError, LdapFailed."""
        table = self._table
        if not is_ldap_url(value):
            return self._connection.search(value, _BASE, _ALL, table.attributes.names, table.size)
        url = parse_ldap_url(value)
        attributes = table.attributes.selected(url.attributes)
        if not attributes:
            return []
        return self._connection.search(url.dn, url.scope, url.filter or _ALL, attributes, table.size)
