"""mysql: MariaDB and MySQL.

Source: mysql_table(5).
"""

from __future__ import annotations

import socket

from pyfix.tables.option_file import read_options, standard_files
from pyfix.tables.queried import old_query, value_text
from pyfix.tables.sql import Host, ServerFailed, SqlTable, host_words, library_missing
from pyfix.tables.table import Opening, TableError
from pyfix.tables.template import Template

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Any, Final

_PORT: Final = 3306
_SOCKET: Final = "/run/mysqld/mysqld.sock"
_CONNECT_SECONDS: Final = 30
_TLS: Final = {
    "tls_CAfile": "ssl-ca", "tls_CApath": "ssl-capath", "tls_cert_file": "ssl-cert", "tls_key_file": "ssl-key",
    "tls_ciphers": "ssl-cipher",
}  # fmt: skip
"""Parameters of encryption, and the client library's names of the same."""
_NO_BACKSLASH_ESCAPES: Final = 512
"""The bit of the server's status that says that a backslash is a character like others in strings."""
_UNSAFE_CHARSETS: Final = ("big5", "cp932", "gb", "sjis", "ucs2", "utf16", "utf32")
_ESCAPES: Final = str.maketrans(
    {"\0": "\\0", "\n": "\\n", "\r": "\\r", "\x1a": "\\Z", '"': '\\"', "'": "\\'", "\\": "\\\\"}
)


def _escape(text: str) -> str:
    return text.translate(_ESCAPES)


def _double(text: str) -> str:
    return text.replace("'", "''")


def _server(address: str) -> tuple[str, str]:
    """Return host and port of an address, which may lack the port."""
    host, colon, port = address.rpartition(":")
    return (host, port) if colon else (address, "")


def _host(word: str) -> Host:
    transport, colon, address = word.partition(":")
    if not colon or transport not in ("unix", "inet"):
        address = word
    if transport == "unix":
        return Host(word, address, local=True)
    server, port = _server(address)
    if port and not port.isdigit():
        try:
            socket.getservbyname(port, "tcp")
        except OSError:
            raise TableError(f"unknown service: {port}/tcp") from None
    if server == "localhost":  # the client libraries of MariaDB and MySQL take no notice of the port then
        return Host(word, "", local=True)
    return Host(word, address, local=False)


class MysqlTable(SqlTable):
    """``mysql:/file.cf``: all columns of all rows that the query finds."""

    kind = "mysql"

    __slots__ = (
        "_encrypts", "_file_options", "_library", "_needs_result", "_options", "_port", "_query", "_socket", "_tls",
        "_trusts",
    )  # fmt: skip

    def __init__(self, name: str, opening: Opening) -> None:
        try:
            import pymysql
        except ImportError:
            raise library_missing(self.kind, "mysql") from None
        self._library: Final = pymysql
        super().__init__(name, opening)
        parameters = self.parameters
        self._file_options: dict[str, str] = {}
        self._port = _PORT
        self._socket = _SOCKET
        self._options: Final[dict[str, Any]] = {
            "user": parameters.text("user"),
            "password": parameters.text("password"),
            "database": parameters.needed("dbname"),
            "charset": parameters.text("charset", "utf8mb4", least=1),
        }
        self._read_option_file()
        self._read_tls()
        self._needs_result: Final = parameters.boolean("require_result_set", True)
        query = parameters.text("query") or old_query(parameters)
        self.read_result_parameters()
        self._query: Final = Template(query, parameters.name)
        self.use([_host(word) for word in host_words(parameters.text("hosts"))])

    def _read_option_file(self) -> None:
        """Take what the table does not say from the client library's option files.

        Not the password: one that is not in the table is empty.
        """
        path = self.parameters.text("option_file")
        group = self.parameters.text("option_group", "client")
        if not path and not group:
            return
        found = self._file_options = read_options([path] if path else standard_files(), group)
        if not self._options["user"] and found.get("user"):
            self._options["user"] = found["user"]
        if command := found.get("init-command"):
            self._options["init_command"] = command
        if address := found.get("bind-address"):
            self._options["bind_address"] = address
        if (port := found.get("port", "")).isdecimal() and int(port):
            self._port = int(port)
        self._socket = found.get("socket") or _SOCKET

    def _read_tls(self) -> None:
        """Learn what is said about encryption: by the table, else by the option file."""
        file = self._file_options
        given = {name: self.parameters.text(name) or file.get(option, "") for name, option in _TLS.items()}
        wants = file.get("ssl-verify-server-cert", "0") in ("", "1", "on", "true", "yes")
        verify = self.parameters.boolean("tls_verify_cert", wants)
        self._tls = {name: text for name, text in given.items() if text}
        self._encrypts = bool(self._tls) or verify
        self._trusts = not (verify or "tls_CAfile" in self._tls or "tls_CApath" in self._tls)
        """Whether any certificate will do."""

    def _context(self) -> Any:
        """Return what the library wants for an encrypted connection.  Raises OSError, ValueError."""
        import ssl

        tls = self._tls
        context = ssl.create_default_context(cafile=tls.get("tls_CAfile"), capath=tls.get("tls_CApath"))
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.check_hostname = not self._trusts
        context.verify_mode = ssl.CERT_NONE if self._trusts else ssl.CERT_REQUIRED
        if "tls_cert_file" in tls:
            context.load_cert_chain(tls["tls_cert_file"], tls.get("tls_key_file"))
        if "tls_ciphers" in tls:
            context.set_ciphers(tls["tls_ciphers"])
        return context

    def connect(self, host: Host) -> Any:
        """Return a connection.  Raises ServerFailed."""
        options = dict(self._options)
        if host.local:
            options["unix_socket"] = host.address or self._socket
        else:
            server, port = _server(host.address)
            options["host"] = server
            options["port"] = int(port) if port.isdigit() else socket.getservbyname(port, "tcp") if port else self._port
        try:
            known = self._library.charset.charset_by_name(options["charset"])
        except (KeyError, AttributeError):
            known = None
        if known is None:
            name = options["charset"]
            reason = f"Can't initialize character set {name} (path: compiled_in)"
            raise ServerFailed(f"dict_mysql: mysql_set_character_set '{name}' failed: {reason}")
        encoders: dict[Any, Any] = dict(self._library.converters.encoders)
        try:
            options |= {"ssl": self._context()} if self._encrypts else {"ssl_disabled": True}
            return self._library.connect(
                conv=encoders,  # and no decoders: values as the server writes them
                use_unicode=False,
                autocommit=True,
                connect_timeout=_CONNECT_SECONDS,
                **options,
            )
        except (self._library.Error, OSError, ValueError) as error:
            raise ServerFailed(f"connect to mysql server {host.name}: {self._unreachable(error, host)}") from None

    def _unreachable(self, error: Exception, host: Host) -> str:
        """Return why a server can't be used, in the words of its own library."""
        cause = getattr(error, "original_exception", error)
        unreached = isinstance(cause, ConnectionError | TimeoutError)
        if self._encrypts and isinstance(cause, OSError) and not unreached:  # TLS's own, or a file's
            reason = getattr(cause, "verify_message", "") or cause.strerror or str(cause).strip("(',)")
            return f"TLS/SSL error: {reason}"
        return _unreachable(error, host, self._socket)

    def run(self, connection: Any, host: Host, key: str) -> list[str | None] | None:
        """Run the query for *key*.  Raises ServerFailed."""
        plain = connection.server_status & _NO_BACKSLASH_ESCAPES
        text = self._query.expand(key, quote=_double if plain else _escape)
        if text is None:
            return None
        found: list[str | None] | None = None
        try:
            with connection.cursor() as cursor:
                cursor.execute(self._encoded(text, connection))
                while True:
                    if cursor.description is not None:
                        if found is not None:
                            raise self._failed("multiple result sets returning data are not supported")
                        found = [value_text(value) for row in cursor.fetchall() for value in row]
                    if not cursor.nextset():
                        break
        except UnicodeEncodeError:
            return []
        except (self._library.Error, OSError) as error:
            raise self._failed(_reason(error)) from None
        if found is None and self._needs_result:
            raise self._failed("query returned no result set(require_result_set = yes)")
        return found or []

    def _encoded(self, text: str, connection: Any) -> bytes:
        """Return a query as it is sent: UTF-8 whatever the charset, as Postfix has it.

        Not in a charset that has backslashes and quotes inside of characters: there the server must see the very
        characters that were escaped.
        """
        if self._options["charset"].lower().startswith(_UNSAFE_CHARSETS):
            return text.encode(connection.encoding)
        return text.encode(errors="surrogateescape")

    def _failed(self, reason: str) -> ServerFailed:
        return ServerFailed(f"{self.name}: query failed: {reason}")

    def hang_up(self, connection: Any) -> None:
        """Close a connection."""
        try:
            connection.close()
        except (self._library.Error, OSError):
            pass  # it was closed before


def _reason(error: Exception) -> str:
    """Return the server's words, without the number of the error."""
    return str(error.args[1]) if len(error.args) > 1 else str(error)


def _unreachable(error: Exception, host: Host, standard: str) -> str:
    """Return why a server can't be reached, in the words of its own library."""
    cause = getattr(error, "original_exception", None)
    if not isinstance(cause, OSError):
        return _reason(error)
    if host.local:
        return f"Can't connect to local server through socket '{host.address or standard}' ({cause.errno})"
    server, _ = _server(host.address)
    if isinstance(cause, socket.gaierror):
        return f"Unknown server host '{server}' ({cause.errno})"
    return f"Can't connect to server on '{server}' ({cause.errno})"
