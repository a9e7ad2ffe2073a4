"""Connections to LDAP servers, shared by all tables that say the same about them.

Source: ldap_table(5).
"""

from __future__ import annotations

import os
import threading
import time
from functools import partial

from pyfix.formats.ldapurl import LdapUrlError, is_ldap_url, parse_ldap_url
from pyfix.tables.notice import error, warn
from pyfix.tables.sql import library_missing
from pyfix.tables.table import TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final

    from pyfix.tables.parameters import TableParameters

    Entries = list[tuple[str | None, dict[str, list[bytes]]]]
    """Names, and attributes with their values; what has no name refers to elsewhere."""

SUCCESS: Final = 0
SERVER_DOWN: Final = -1
NO_SUCH_OBJECT: Final = 32
_TIMED_OUT: Final = -5
_BAD_PARAMETER: Final = -9
_URL_PORT: Final = 389
_KEPT_SECONDS: Final = 60.0
"""How long a connection that nobody needs is kept beside another one."""
_BINDINGS: Final = {"yes": "simple", "simple": "simple", "no": "", "none": "", "sasl": "sasl"}
_FILES: Final = (
    ("tls_random_file", "OPT_X_TLS_RANDOM_FILE"),
    ("tls_ca_cert_file", "OPT_X_TLS_CACERTFILE"),
    ("tls_ca_cert_dir", "OPT_X_TLS_CACERTDIR"),
    ("tls_cert", "OPT_X_TLS_CERTFILE"),
    ("tls_key", "OPT_X_TLS_KEYFILE"),
    ("tls_cipher_suite", "OPT_X_TLS_CIPHER_SUITE"),
)
"""In the order in which they are set."""


_REASONS: Final = {
    -1: "Can't contact LDAP server", 3: "Time limit exceeded", 4: "Size limit exceeded", 5: "Compare False",
    8: "Strong(er) authentication required", 9: "Partial results and referral received", 10: "Referral",
}  # fmt: skip


class LdapFailed(Exception):
    """What the library or a server answered instead of a result; the text is the library's word for ``code``."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code: Final = code


class NotReached(Exception):
    """There is no connection, and a warning has said why."""


class ServerSettings:
    """What a table says about its servers; two tables that say the same share their connections.

    The parameters are read in the order of Postfix, those of the search between them.
    """

    def __init__(self, parameters: TableParameters) -> None:
        """Read where the servers are.  Raises TableError."""
        hosts = parameters.text("server_host", "localhost", least=1)
        port = parameters.integer("server_port", _URL_PORT)
        version = parameters.integer("version", 3, least=2)
        if version > 3:
            warn(f"dict_ldap_open: {parameters.name} Unknown version {version}, using 3.")
            version = 3
        self.urls, self.version = _urls(hosts, port, version)

    def read_timeout(self, parameters: TableParameters) -> None:
        """Read how long each step may take.  Raises TableError."""
        self.timeout = parameters.integer("timeout", 10)

    def read_binding(self, parameters: TableParameters) -> None:
        """Read who we are.  Raises TableError."""
        get = parameters.text
        word = get("bind", "yes", least=1)
        if word.lower() not in _BINDINGS:
            raise TableError(f"{parameters.name}: unsupported parameter value: bind = {word}")
        self.bind = _BINDINGS[word.lower()]
        self.dn, self.password = get("bind_dn"), get("bind_pw")
        self.mechanisms = self.realm = self.identity = ""
        self.strength = 0
        if self.bind == "sasl":
            self.mechanisms, self.realm, self.identity = get("sasl_mechs"), get("sasl_realm"), get("sasl_authz_id")
            self.strength = parameters.integer("sasl_minssf", 0)

    def read_options(self, parameters: TableParameters) -> None:
        """Read the library's options.  Raises TableError."""
        shown = f"dict_ldap_open: {parameters.name}"
        self.deref = parameters.integer("dereference", 0)
        if not 0 <= self.deref <= 3:
            warn(f"{shown} Unrecognized value {self.deref} specified for dereference; using 0")
            self.deref = 0
        self.referrals = parameters.boolean("chase_referrals", False)
        self.start_tls = parameters.boolean("start_tls", False)
        if self.start_tls and self.version < 3:
            warn(f"{shown} start_tls requires protocol version 3")
            self.version = 3
        self.verify = parameters.boolean("tls_require_cert", False)
        self.files = tuple((name, option, parameters.text(name)) for name, option in _FILES)
        self.debug = parameters.integer("debuglevel", 0)

    @property
    def encrypted(self) -> bool:
        """Whether the parameters of encryption matter."""
        return self.start_tls or "ldaps:" in self.urls.lower()

    @property
    def who(self) -> str:
        """Who we are, for a warning."""
        return self.dn or "empty or implicit"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ServerSettings) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(sorted(vars(self).items())))


def _urls(hosts: str, port: int, version: int) -> tuple[str, int]:
    """Return what the library takes for *hosts*, and the protocol's version that the URLs need."""
    urls: list[str] = []
    for word in hosts.replace(",", " ").split():
        if is_ldap_url(word):
            try:
                scheme = parse_ldap_url(word).scheme
            except LdapUrlError as problem:
                reason = f"{problem.code}: {reason_of(problem.code)}"
                error(f"dict_ldap_open: error parsing URL {word}: {reason}; skipping")
                continue
            if scheme != "ldap" and version < 3:
                warn(f"dict_ldap_open: URL scheme {scheme} requires protocol version 3")
                version = 3
            urls.append(word)
        else:
            urls.append(f"ldap://{word}" if ":" in word else f"ldap://{word}:{port}")
    return " ".join(urls), version


def library() -> Any:
    """Return the client library.  Raises TableError where it is not installed."""
    try:
        import ldap
        import ldap.sasl  # now, since there may be a jail around lookups
    except ImportError:
        raise library_missing("ldap", "ldap") from None
    return ldap


def reason_of(code: int) -> str:
    """Return the library's word for the number of an error in a URL, which Postfix takes for that of a result."""
    return _REASONS[code]


class Connection:
    """A connection to the first server that answers, over which we have said who we are."""

    __slots__ = ("_ldap", "_library", "_settings", "code", "reason", "used")

    def __init__(self, settings: ServerSettings) -> None:
        """Raises NotReached."""
        self._library: Final = library()
        self._settings: Final = settings
        self.code = SUCCESS
        self.reason = ""
        """The outcome of the last search."""
        self.used = 0.0
        self._ldap: Any = None
        try:
            self._ldap = self._library.initialize(settings.urls, bytes_mode=False)
        except self._library.LDAPError:
            warn(f"dict_ldap_connect: Unable to init LDAP server {settings.urls}")
            raise NotReached from None
        try:
            self._set_options()
            if settings.encrypted:
                self._set_tls()
            if settings.start_tls:
                self._start_tls()
            if settings.bind:
                self._bind()
        except BaseException:
            self.close()
            raise

    def _set_options(self) -> None:
        settings, library, option = self._settings, self._library, self._ldap.set_option
        option(library.OPT_PROTOCOL_VERSION, settings.version)
        option(library.OPT_NETWORK_TIMEOUT, settings.timeout)
        option(library.OPT_TIMEOUT, settings.timeout)
        option(library.OPT_DEREF, settings.deref)
        option(library.OPT_REFERRALS, settings.referrals)
        if settings.debug:
            library.set_option(library.OPT_DEBUG_LEVEL, settings.debug)

    def _set_tls(self) -> None:
        option, library = self._ldap.set_option, self._library
        for name, number, path in self._settings.files:
            if path:
                self._or_not_reached(partial(option, getattr(library, number), path), f"set {name} to {path}:")
        wanted = library.OPT_X_TLS_DEMAND if self._settings.verify else library.OPT_X_TLS_NEVER
        option(library.OPT_X_TLS_REQUIRE_CERT, wanted)
        self._or_not_reached(lambda: option(library.OPT_X_TLS_NEWCTX, 0), "allocate new TLS context")

    def _or_not_reached(self, step: Callable[[], object], what: str) -> None:
        try:
            step()
        except (ValueError, self._library.LDAPError):
            warn(f"dict_ldap_set_tls_options: Unable to {what} {SERVER_DOWN}: {reason_of(SERVER_DOWN)}")
            raise NotReached from None

    def _start_tls(self) -> None:
        try:
            self._ldap.start_tls_s()
        except self._library.LDAPError as problem:
            code, reason = self._outcome(problem)
            error(f"dict_ldap_connect: Unable to set STARTTLS: {code}: {reason}")
            raise NotReached from None

    def _bind(self) -> None:
        settings = self._settings
        try:
            if settings.bind == "sasl":
                self._bind_by_mechanism()
            else:
                self._wait(self._ldap.simple_bind(settings.dn, settings.password))
        except self._library.LDAPError as problem:
            code, reason = self._outcome(problem)
            warn(
                f"dict_ldap_connect: Unable to bind to server {settings.urls} with dn {settings.who}: {code} ({reason})"
            )
            raise NotReached from None

    def _bind_by_mechanism(self) -> None:
        settings, sasl = self._settings, self._library.sasl
        if settings.strength:
            self._ldap.set_option(self._library.OPT_X_SASL_SSF_MIN, settings.strength)
        answers = {
            sasl.CB_AUTHNAME: settings.dn, sasl.CB_PASS: settings.password,
            sasl.CB_USER: settings.identity, sasl.CB_GETREALM: settings.realm,
        }  # fmt: skip
        answerer = sasl.sasl(answers, settings.mechanisms)
        self._ldap.sasl_interactive_bind_s("", answerer, sasl_flags=self._library.SASL_QUIET)

    def search(self, base: str, scope: int, words: str, attributes: Sequence[str], limit: int) -> Entries:
        """Return names and attributes of what is found, *limit* entries at most unless that is 0.

        Entries without a name are references to elsewhere.  Raises LdapFailed.
        """
        timeout = self._settings.timeout
        self.code, self.reason = SUCCESS, ""
        try:
            self._ldap.set_option(self._library.OPT_SIZELIMIT, limit)
            message = self._ldap.search_ext(base, scope, words, list(attributes), timeout=timeout, sizelimit=-1)
            found: Entries = self._wait(message)
        except self._library.LDAPError as problem:
            self.code, self.reason = self._outcome(problem)
            raise LdapFailed(self.code, self.reason) from None
        return found

    def _wait(self, message: int) -> Any:
        """Return what comes for *message*."""
        kind, data, *_ = self._ldap.result3(message, all=1, timeout=self._settings.timeout)
        if kind is None:
            raise self._library.TIMEOUT
        return data

    def _outcome(self, problem: Any) -> tuple[int, str]:
        """Return the number and the word for a failure."""
        if isinstance(problem, self._library.TIMEOUT):
            return _TIMED_OUT, "Timed out"
        told = problem.args[0] if problem.args and isinstance(problem.args[0], dict) else {}
        code = told.get("result", SUCCESS)
        return (code, told.get("desc", "")) if code else (_BAD_PARAMETER, "Bad parameter to an ldap routine")

    def close(self) -> None:
        """Close the connection."""
        try:
            self._ldap.unbind_s()
        except (AttributeError, self._library.LDAPError):
            pass  # it was closed before


class Connections:
    """The connections that tables with the same settings share, for several threads."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings: Final = settings
        self._lock: Final = threading.Lock()
        self._idle: list[Connection] = []
        self._owner = os.getpid()

    def take(self) -> Connection:
        """Return a connection that nobody uses, if need be a new one.  Raises NotReached."""
        with self._lock:
            if self._owner != os.getpid():  # a child must not talk over its parent's connections, nor end them
                _others.extend(self._idle)
                self._idle.clear()
                self._owner = os.getpid()
            if self._idle:
                return self._idle.pop()
        return self.connect()

    def connect(self) -> Connection:
        """Return a new connection.  Raises NotReached."""
        return Connection(self._settings)

    def keep(self, connection: Connection) -> None:
        """Keep a connection that works for the next lookup, and close others that were not needed for long."""
        now = connection.used = time.monotonic()
        with self._lock:
            old = [each for each in self._idle if now - each.used > _KEPT_SECONDS]
            self._idle = [each for each in self._idle if each not in old]
            self._idle.append(connection)
        for each in old:
            each.close()

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        if self._owner == os.getpid():
            for each in idle:
                each.close()


_others: Final[list[Connection]] = []
"""Connections of the parent process; to forget one is to end it."""
_shared: Final[dict[ServerSettings, Connections]] = {}


def connections(settings: ServerSettings) -> Connections:
    """Return the connections for *settings*, the same for the same."""
    return _shared.setdefault(settings, Connections(settings))
