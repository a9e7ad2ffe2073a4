"""pgsql: PostgreSQL, through its own client library.

Source: pgsql_table(5).
"""

from __future__ import annotations

from pyfix.tables.queried import old_query, value_text
from pyfix.tables.sql import Host, ServerFailed, SqlTable, host_words, library_missing
from pyfix.tables.table import Opening, TableError
from pyfix.tables.template import Template

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Any, Final

_URIS: Final = ("postgresql://", "postgres://")
_CONNECT_SECONDS: Final = 30


def _host(word: str) -> Host:
    if word.startswith(_URIS):
        return Host(word, word, local=False)
    transport, colon, address = word.partition(":")
    if not colon or transport not in ("unix", "inet"):
        address = word
    return Host(word, address, local=transport == "unix" or address.startswith("/"))


class PgsqlTable(SqlTable):
    """``pgsql:/file.cf``: all columns of all rows that the query finds."""

    kind = "pgsql"

    __slots__ = ("_database", "_encoding", "_password", "_pq", "_query", "_user")

    def __init__(self, name: str, opening: Opening) -> None:
        try:
            from psycopg import pq
        except ImportError:
            raise library_missing(self.kind, "pgsql") from None
        self._pq: Final = pq
        super().__init__(name, opening)
        parameters = self.parameters
        self._user: Final = parameters.text("user")
        self._password: Final = parameters.text("password")
        self._database: Final = parameters.text("dbname")
        self._encoding: Final = parameters.text("encoding", "UTF8", least=1)
        query = parameters.text("query")
        if not query:
            function = parameters.text("select_function")
            query = f"SELECT {function}('%s')" if function else old_query(parameters)
        self.read_result_parameters()
        self._query: Final = Template(query, parameters.name)
        hosts = [_host(word) for word in host_words(parameters.text("hosts"))]
        named = [host for host in hosts if not host.name.startswith(_URIS)]
        if named and not self._database:
            shown = named[0].address if named[0].local else named[0].address.partition(":")[0]
            raise TableError(f"{self.name} host target '{shown}' requires dbname setting")
        self.use(hosts)

    def _target(self, host: Host) -> bytes:
        if host.name.startswith(_URIS):
            return host.address.encode()
        from psycopg.conninfo import make_conninfo

        server, _, port = (host.address, "", "") if host.local else host.address.partition(":")
        words = {
            "host": server, "port": port, "dbname": self._database, "user": self._user, "password": self._password,
        }  # fmt: skip
        given = {name: word for name, word in words.items() if word}
        return make_conninfo("", connect_timeout=_CONNECT_SECONDS, **given).encode()

    def connect(self, host: Host) -> Any:
        """Return a connection with the encoding set.  Raises ServerFailed."""
        status = self._pq.ConnStatus.OK
        connection, reason = self._connected(self._target(host))
        if reason or connection.status != status:
            reason = reason or _text(connection.error_message)
            connection.finish()
            raise ServerFailed(f"connect to pgsql server {host.name}: {reason}")
        quoted = self._encoding.replace("'", "''").encode()
        done = connection.exec_(b"SET client_encoding TO '" + quoted + b"'")
        if done.status != self._pq.ExecStatus.COMMAND_OK:
            connection.finish()
            raise ServerFailed(f"dict_pgsql: cannot set the encoding to {self._encoding}, skipping {host.name}")
        return connection

    def _connected(self, target: bytes) -> tuple[Any, str]:
        """Return a connection, and why it took too long, if it did.

        Step by step: the library's own waiting would keep all threads of the process waiting.
        """
        from select import POLLIN, POLLOUT, poll
        from time import monotonic

        options = {option.keyword: option.val for option in self._pq.Conninfo.parse(target)}
        seconds = int(options.get(b"connect_timeout") or 0) * ((options.get(b"host") or b"").count(b",") + 1)
        end = monotonic() + seconds
        connection = self._pq.PGconn.connect_start(target)
        states = self._pq.PollingStatus
        state: int = states.WRITING
        while connection.status != self._pq.ConnStatus.BAD and state in (states.READING, states.WRITING):
            waiting = poll()
            waiting.register(connection.socket, POLLIN if state == states.READING else POLLOUT)
            if not waiting.poll(max(0.0, end - monotonic()) * 1000 if seconds else None):
                return connection, _text(connection.error_message) + "timeout expired"
            state = connection.connect_poll()
        return connection, ""

    def run(self, connection: Any, host: Host, key: str) -> list[str | None] | None:
        """Run the query for *key*.  Raises ServerFailed."""
        escaping = self._pq.Escaping(connection)

        def quote(text: str) -> str:
            try:
                return _text(bytes(escaping.escape_string(text.encode(errors="surrogateescape"))))
            except Exception as error:
                reason = _text(connection.error_message) or str(error)
                problem = f"dict pgsql: (host {host.name}) cannot escape input string: {reason}"
                raise ServerFailed(problem) from None

        text = self._query.expand(key, quote=quote)
        if text is None:
            return None
        result = connection.exec_(text.encode(errors="surrogateescape"))
        statuses = self._pq.ExecStatus
        if result.status == statuses.COMMAND_OK:
            return []
        if result.status != statuses.TUPLES_OK:
            message = f": {_text(connection.error_message)}"
            if result.status == statuses.BAD_RESPONSE:
                what, message = "protocol error, host", ""
            elif result.status == statuses.FATAL_ERROR:
                what = "fatal error from host"
            else:
                what, message = f"unknown code 0x{int(result.status):x} from host", ""
            raise ServerFailed(f"pgsql query failed: {what} {host.name}{message}")
        columns = range(result.nfields)
        return [value_text(result.get_value(row, column) or b"") for row in range(result.ntuples) for column in columns]

    def hang_up(self, connection: Any) -> None:
        """Close a connection."""
        connection.finish()


def _text(message: bytes) -> str:
    return message.decode(errors="surrogateescape")
