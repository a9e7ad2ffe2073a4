"""What the library found out about the chain of a peer's certificates; the handshake goes on in any case.

Source: TLS_README; the texts of RFC 5280's problems are OpenSSL's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pyfix.runtime.libssl.library import ffi, lib, text_of
from pyfix.runtime.libssl.names import VERIFY_CLIENT_ONCE, VERIFY_NONE, VERIFY_PEER
from pyfix.runtime.libssl.objects import Connection, Context, certificate_of, connection_of
from pyfix.runtime.log import log
from pyfix.tables.table import TableError
from pyfix.tls.certificate import common_name, one_line
from pyfix.tls.loglevel import LogLevel

__all__ = ["Verification", "is_trusted", "note_problems"]

_SELF_SIGNED: Final = (18, 19)
_NO_ISSUER: Final = (2, 20, 21)
_NOT_YET: Final = (9, 13)
_EXPIRED: Final = (10, 14)
_TOO_LONG: Final = 22
_PURPOSE: Final = 26


@dataclass(slots=True)
class Verification:
    """One handshake's; a connection has it as its data."""

    peer: str
    """How the log calls the peer: ``name[address]``."""
    level: LogLevel
    depth: int
    """How long a chain may be, as the parameters count."""
    role: str
    """What the peer's certificate is for: ``client`` or ``server``."""
    problem: int = 0
    """The library's number of what was found first; 0: nothing."""
    issuer: str = field(default="")
    """Who has signed the certificate whose issuer is missing."""
    text: str = field(default="")
    server_name: str = ""
    """The name whose certificate the client was shown."""
    looked_up: tuple[str, tuple[str, str] | TableError | None] = ("", None)
    """The name that tls_server_sni_maps were asked about before the handshake, and what they said."""
    cache_id: str = ""
    """What a client's session is kept under; empty for nowhere."""
    by_ticket: bool = False
    """A ticket of the client's was opened."""
    sessions: dict[bytes, bytes] = field(default_factory=dict)
    """Sessions that may be resumed, by id; empty ones are not there."""
    made: dict[str, bytes] = field(default_factory=dict)
    """Sessions that came of the handshake, by the id that they are kept under."""

    def explain(self) -> str:
        """Return the line of the log that says why the certificate is not trusted."""
        if self.problem in _NOT_YET:
            return f"{self.role} certificate verification failed for {self.peer}: certificate not yet valid"
        if self.problem in _EXPIRED:
            return f"{self.role} certificate verification failed for {self.peer}: certificate has expired"
        before = f"certificate verification failed for {self.peer}: "
        if self.problem in _SELF_SIGNED:
            return before + "self-signed certificate"
        if self.problem in _NO_ISSUER:
            return before + f"untrusted issuer {self.issuer}"
        if self.problem == _PURPOSE:
            return before + f"not designated for use as a {self.role} certificate"
        if self.problem == _TOO_LONG:
            return before + f"certificate chain longer than limit({self.depth + 1})"
        return f"{self.role} {before}num={self.problem}:{self.text}"


def note_problems(context: Context, *, asks: bool) -> None:
    """Let handshakes note what is wrong with certificates, and go on; *asks*: clients are asked for one.

    The library's own note stays, by which a session that is resumed later is judged.
    """
    mode = VERIFY_PEER | VERIFY_CLIENT_ONCE if asks else VERIFY_NONE
    context.set_verify(mode, _callback)


def is_trusted(connection: Connection) -> bool:
    """Tell whether nothing was wrong with the peer's certificate, now or when the session began that is resumed."""
    return connection.verify_result == 0


def _verify(good: int, store: Any) -> int:
    problem, depth = lib.X509_STORE_CTX_get_error(store), lib.X509_STORE_CTX_get_error_depth(store)
    session = lib.X509_STORE_CTX_get_ex_data(store, lib.SSL_get_ex_data_X509_STORE_CTX_idx())
    state = connection_of(session).data
    if isinstance(state, Verification):
        _note(state, lib.X509_STORE_CTX_get_current_cert(store), problem, depth, good)
    return 1


_callback: Final = ffi.callback("int (*)(int, X509_STORE_CTX *)", _verify, error=0)


def _note(state: Verification, certificate: Any, problem: int, depth: int, good: int) -> None:
    if good and not state.level.verbose:
        return
    shown = certificate_of(certificate)
    if state.level.verbose:
        log.info(f"{state.peer}: depth={depth} verify={good} subject={one_line(shown.subject)}")
    if not good and not state.problem:
        state.problem = problem
        state.issuer = one_line(shown.issuer) or common_name(shown.issuer)
        state.text = text_of(lib.X509_verify_cert_error_string(problem))

