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
from pyfix.tables.table import Opening, TableError, fail_query
from pyfix.tables.template import Template

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

_BASE: Final = 0
_SCOPES: Final = {"base": 0, "one": 1, "sub": 2}
_ALL: Final = "(objectclass=*)"


class LdapTable(QueriedTable):
    """``ldap:/file.cf``: the values of some attributes of the entries that a filter finds, and of those they name."""

    kind = "ldap"

    __slots__ = ("_base", "_escape_filter", "_escape_name", "_filter", "_scope", "_servers", "attributes", "depth", "size")

    def __init__(self, name: str, opening: Opening) -> None:
        library()
        from ldap.dn import escape_dn_chars  # type: ignore[import-untyped]
        from ldap.filter import escape_filter_chars  # type: ignore[import-untyped]

        self._escape_name: Final = escape_dn_chars
        self._escape_filter: Final = escape_filter_chars
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
        self.attributes: Final = Attributes(
            *(text(f"{kind}_result_attribute") for kind in ("terminal", "leaf")),
            text("result_attribute", "maildrop"),
            text("special_result_attribute"),
        )
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
        base = self._base.expand(key, quote=self._escape_name)
        words = self._filter.expand(key, quote=self._escape_filter)
        if base is None or words is None:
            return None
        try:
            connection = self._servers.take()
            try:
                entries = connection.search(base, self._scope, words, self.attributes.names, self.size)
            except LdapFailed as problem:
                if problem.code != SERVER_DOWN:
                    return self._not_found(connection, base, problem)
                connection.close()  # it may have been closed by the server while nobody asked
                connection = self._servers.connect()
                try:
                    entries = connection.search(base, self._scope, words, self.attributes.names, self.size)
                except LdapFailed as again:
                    return self._not_found(connection, base, again)
        except NotReached:
            fail_query(self)
        expansion = Expansion(self, connection, key)
        expansion.add(entries, 1)
        if connection.reason:
            warn(f"dict_ldap_lookup: Had some trouble with entries returned by search: {connection.reason}")
        self._servers.keep(connection)
        if expansion.failed:
            fail_query(self)
        return ",".join(expansion.results) or None

    def _not_found(self, connection: Connection, base: str, problem: LdapFailed) -> None:
        """Return where the base of the search depends on the key and is not there.  Raises TableError otherwise."""
        if problem.code == NO_SUCH_OBJECT:
            self._servers.keep(connection)
            if self._base.varies:
                return
            where = f"{self.parameters.name}: Search base '{base}' not found"
            warn(f"dict_ldap_lookup: {where}: {problem.code}: {problem}")
        else:
            connection.close()
            warn(f"dict_ldap_lookup: Search error {problem.code}: {problem} ")
        fail_query(self)

    def close(self) -> None:
        """Close the connections."""
        self._servers.close()


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

    def add(self, entries: Sequence[tuple[str | None, dict[str, list[bytes]]]], depth: int) -> None:
        """Add what *entries* give; those of the first search have *depth* 1."""
        shown = f"dict_ldap_get_values[{depth}]: {self._table.parameters.name}"
        for number, (name, attributes) in enumerate([entry for entry in entries if entry[0] is not None]):
            if 0 < self._table.size <= number:
                warn(f"{shown}: Query size limit ({self._table.size}) exceeded")
                self.failed = True
            kinds = {attribute: self._table.attributes.kind(attribute) for attribute, found in attributes.items() if found}
            terminal = "terminal" in kinds.values()
            leaf = "special" not in kinds.values()
            for attribute, kind in kinds.items():
                if self.failed:
                    return
                if kind is None or (terminal and kind != "terminal") or (kind == "leaf" and not leaf):
                    continue
                values = [value_text(value) or "" for value in attributes[attribute]]
                if kind != "special":
                    self._add_values(values, shown)
                elif depth < self._table.depth:
                    self._follow(values, depth)
                else:
                    what = f"Recursion limit exceeded for special attribute {attribute}={values[0]}"
                    self._fail(f"{shown}: {what}")

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

    def _follow(self, values: Sequence[str], depth: int) -> None:
        """Look up what the values of a special attribute name."""
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
                self.add(entries, depth + 1)

    def _named(self, value: str) -> Any:
        """Return the entries that a name or a URL stands for.  Raises LdapUrlError, LdapFailed."""
        table = self._table
        if not is_ldap_url(value):
            return self._connection.search(value, _BASE, _ALL, table.attributes.names, table.size)
        url = parse_ldap_url(value)
        attributes = table.attributes.selected(url.attributes)
        if not attributes:
            return []
        return self._connection.search(url.dn, url.scope, url.filter or _ALL, attributes, table.size)
