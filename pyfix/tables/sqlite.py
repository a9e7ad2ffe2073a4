"""sqlite: files of SQLite, read by the standard library.

Source: sqlite_table(5).
"""

from __future__ import annotations

import re
import threading

from pyfix.tables.notice import warn
from pyfix.tables.queried import QueriedTable, old_query, value_text
from pyfix.tables.table import Opening, TableError
from pyfix.tables.template import Template
from pyfix.tables.threaded import FatalQuery

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    import sqlite3
    from typing import Final, NoReturn

_QUOTED: Final = re.compile(r"'(?:[^']|'')*'")
_STEP_ERRORS: Final = re.compile(r"readonly|locked|busy|disk I/O error|disk image|full|constraint")
"""What goes wrong when a query runs, and not when it is read."""


def _quote(text: str) -> str:
    return text.replace("'", "''")


def _unquoted(query: str) -> list[str]:
    """Return the parts of the key that stand in *query* outside of single quotes."""
    return [f"%{letter}" for letter in re.findall(r"%(.)", _QUOTED.sub("", query)) if letter != "%"]


class SqliteTable(QueriedTable):
    """``sqlite:/file.cf``: the first column of each row that the query finds."""

    kind = "sqlite"

    __slots__ = ("_connection", "_lock", "_path", "_query")

    def __init__(self, name: str, opening: Opening) -> None:
        try:
            import sqlite3  # noqa: F401  # here it is only seen whether this Python has it
        except ImportError:
            from pyfix.tables.plugins import library_missing

            raise library_missing(self.kind, "Python's module sqlite3") from None
        super().__init__(name, opening)
        parameters = self.parameters
        self._path: Final = parameters.needed("dbpath")
        query = parameters.text("query") or old_query(parameters)
        self.read_result_parameters()
        self._query: Final = Template(query, parameters.name)
        for part in _unquoted(query):
            warn(f"{self.name}: query >{query}< contains >{part}< without the recommended '' quotes")
        self._lock: Final = threading.Lock()
        self._connection: sqlite3.Connection | None = self._open()

    def _open(self) -> sqlite3.Connection:
        import os
        import sqlite3
        from urllib.parse import quote

        try:
            connection = sqlite3.connect(f"file:{quote(self._path)}?mode=ro", uri=True, check_same_thread=False)
        except sqlite3.Error as error:
            reason = ""
            try:
                os.close(os.open(self._path, os.O_RDONLY | os.O_CLOEXEC))
            except OSError as problem:
                reason = f": {problem.strerror}"
            raise TableError(f"{self.name}: open database {self._path}: {error}{reason}") from None
        connection.text_factory = bytes
        return connection

    def query(self, key: str) -> str | None:
        """Run the query.  Raises TableError."""
        import sqlite3

        text = self._query.expand(key, quote=_quote)
        if text is None:
            return None
        text = _first_statement(text)
        shown = f"dict_sqlite_lookup: {self.parameters.name}: "
        with self._lock:
            if self._connection is None:
                self._connection = self._open()
            try:
                cursor = self._connection.execute(text)
                rows = cursor.fetchall() if cursor.description is not None else None
            except (sqlite3.Error, UnicodeError) as error:  # the library's words may have a name from a damaged file
                if not _STEP_ERRORS.search(str(error)):
                    raise FatalQuery(f"{shown}SQL prepare failed: {error}") from None
                self._step_failed(text, str(error))
        if rows is None:
            self._step_failed(text, "not an error")
        return self.joined((value_text(row[0]) for row in rows), key, shown)

    def _step_failed(self, text: str, reason: str) -> NoReturn:
        warn(f"dict_sqlite_lookup: {self.parameters.name}: SQL step failed for query '{text}': {reason}")
        raise TableError(f"table {self.name}: query error")

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _first_statement(text: str) -> str:
    """Return *text* up to the end of its first statement: what follows is not run."""
    import sqlite3

    at = text.find(";")
    while at >= 0:
        if sqlite3.complete_statement(text[: at + 1]):
            return text[: at + 1]
        at = text.find(";", at + 1)
    return text
