"""Tables that ask a library: a query made from the key, and a result made from what comes back.

Source: sqlite_table(5), mysql_table(5), pgsql_table(5), ldap_table(5).
"""

from __future__ import annotations

from pyfix.tables.notice import warn
from pyfix.tables.parameters import TableParameters
from pyfix.tables.table import Opening, fail_query, valid_text
from pyfix.tables.template import DomainFilter, Template
from pyfix.tables.threaded import ThreadedTable

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable


class QueriedTable(ThreadedTable):
    """A table whose answers come from a library; a type gives ``query``."""

    __slots__ = ("domain", "limit", "parameters", "result_format")

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        self.parameters = TableParameters(name, opening)

    def owner(self) -> int | None:
        """Return the owner of the file that says where to ask."""
        return self.parameters.owner

    def read_result_parameters(self, result_format: str | None = None) -> None:
        """Read what all types have.  Raises TableError."""
        parameters = self.parameters
        text = parameters.text("result_format", "%s", least=1) if result_format is None else result_format
        self.result_format = Template(text, parameters.name, "result")
        self.limit = parameters.integer("expansion_limit", 0)
        self.domain = DomainFilter(parameters, self.opening)

    def joined(self, values: Iterable[str | None], key: str, shown: str) -> str | None:
        """Return the results made of *values*, separated by commas, None when there is none.

        *shown* stands before the warning when there are more than expansion_limit.  Raises TableError.
        """
        results: list[str] = []
        for value in values:
            if value is None:
                continue
            if not value:
                warn(f'table "{self.name}": empty lookup result for: "{key}" -- ignored')
                continue
            result = self.result_format.expand(value, key)
            if result is None:
                continue
            if 0 < self.limit <= len(results):
                warn(f"{shown}Expansion limit exceeded for key{self._colon} '{key}'")
                fail_query(self)
            results.append(result)
        return ",".join(results) or None

    _colon = ""
    takes_any_bytes = False
    """Whether the library can be asked for a key that is no UTF-8, as comes up with ``smtputf8_enable = no``."""

    def asked(self, key: str) -> str | None:
        """Return *key* as query() wants it, None when it is empty or lacks a part that results are made of."""
        if not key:
            warn(f'table "{self.name}": empty query string -- ignored')
            return None
        prepared = self.prepared(key)
        if prepared is None or "\0" in prepared or not (self.takes_any_bytes or valid_text(prepared)):
            return None
        if not self.result_format.has_parts_of(prepared):
            return None
        return prepared

    def find_now(self, key: str) -> str | None:
        """Ask and wait for the answer; the whole process waits.  Raises TableError."""
        asked = self.asked(key)
        if asked is None or not self.domain.accepts_now(asked):
            return None
        return self.accepted(asked, self.query(asked))

    async def find(self, key: str) -> str | None:
        """Ask in a thread, while the event loop goes on.  Raises TableError."""
        asked = self.asked(key)
        if asked is None or not await self.domain.accepts(asked):
            return None
        return self.accepted(asked, await self.in_thread(asked))


def old_query(parameters: TableParameters) -> str:
    """Return the query that the parameters of Postfix 2.1 and older make.  Raises TableError."""
    table, field, where = (parameters.needed(name) for name in ("table", "select_field", "where_field"))
    return f"SELECT {field} FROM {table} WHERE {where} = '%s' {parameters.text('additional_conditions')}"


def value_text(value: object) -> str | None:
    """Return a column's value as text, up to its first NUL."""
    if value is None:
        return None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).partition(b"\0")[0].decode(errors="surrogateescape")
    if isinstance(value, float):
        number, e, exponent = f"{value:.15g}".partition("e")
        return (number if "." in number or not number[-1].isdigit() else number + ".0") + e + exponent
    return str(value).partition("\0")[0]
