"""Keys and certificates by the name that the client asks for.

Source: postconf(5) tls_server_sni_maps; postmap(1) -F; RFC 6066 section 3.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from pyfix.config.snapshot import Snapshot
from pyfix.formats.domain import is_hostname
from pyfix.runtime.libssl.names import TLSEXT_ERR_ALERT_FATAL, TLSEXT_ERR_NOACK, TLSEXT_ERR_OK
from pyfix.runtime.libssl.objects import Context, connection_of
from pyfix.runtime.log import log
from pyfix.tables.file_values import decode_value
from pyfix.tables.flags import FOLD_FIX, LOCK, SRC_RHS_IS_FILE
from pyfix.tables.maps import Maps
from pyfix.tables.table import TableError
from pyfix.tls.context import share_authorities
from pyfix.tls.credentials import BadCredentials, load_pem
from pyfix.tls.verification import Verification

__all__ = ["PARAMETER", "ServerNames"]


PARAMETER: Final = "tls_server_sni_maps"
_MOST_REMEMBERED: Final = 1000
_INTERNAL_ERROR: Final = 80
"""The alert (RFC 8446 section 6)."""


_Found = tuple[str, str]
"""A key of the tables and its value."""


def _keys(name: str) -> Iterator[str]:
    """Yield a name and its parents, which the tables fold."""
    key = name
    while key:
        yield key
        key = key[key.index(".", 1) :] if "." in key[1:] else ""


def _nothing(_context: Context) -> None:
    """Leave a context as it is."""


class ServerNames:
    """The contexts that names have; each is made when it is first asked for, and again when its table has changed."""

    def __init__(
        self, snapshot: Snapshot, tables: Sequence[str], arrange: Callable[[Context], None] = _nothing
    ) -> None:
        """*arrange* gives each context what those of all names have alike."""
        self._arrange: Final = arrange
        self._maps = Maps(PARAMETER, tables, snapshot, flags=LOCK | FOLD_FIX | SRC_RHS_IS_FILE)
        self._contexts: OrderedDict[str, tuple[str, Context]] = OrderedDict()
        """By the key that was found: its value, and what was made of it."""
        self._served: Context | None = None

    @property
    def wait(self) -> bool:
        """Whether a table may have to wait, so that a handshake needs prepare()."""
        return not self._maps.local

    async def prepare(self, state: Verification, name: str) -> None:
        """Look up the *name* that a client asks for, before the library knows of it, which can't wait."""
        if not is_hostname(name):
            return
        found: _Found | TableError | None = None
        try:
            for key in _keys(name):
                value = await self._maps.find(key)
                if value is not None:
                    found = key, value
                    break
        except TableError as error:
            found = error
        state.looked_up = name, found

    def serve(self, context: Context) -> None:
        """Be asked by the handshakes of *context*; whom it trusts is trusted whatever the name."""
        self._served = context
        context.on_server_name(self._choose)

    def _choose(self, ssl: Any, alert: Any, _argument: object) -> int:
        """Give a handshake the context of the name that the client asks for."""
        connection = connection_of(ssl)
        name = connection.asked_name
        state = connection.data
        if not name or not isinstance(state, Verification):
            return TLSEXT_ERR_NOACK
        if not is_hostname(name):
            log.warning(f"TLS SNI from {state.peer} is invalid: {name}")
            return TLSEXT_ERR_NOACK
        try:
            context = self._context_of(name, state)
        except TableError:
            log.warning(f"{PARAMETER}: {name} map lookup problem")
        except BadCredentials as error:
            for line in error.lines:
                log.warning(line)
            log.warning(
                f"error loading private keys and certificates from: SNI data for {name}: aborting TLS handshake"
            )
        else:
            if context is None:
                if state.level.summary:
                    log.info(f"TLS SNI {name} from {state.peer} not matched, using default chain")
                return TLSEXT_ERR_NOACK
            connection.use(context)
            state.server_name = name
            return TLSEXT_ERR_OK
        alert[0] = _INTERNAL_ERROR
        return TLSEXT_ERR_ALERT_FATAL

    def _context_of(self, name: str, state: Verification) -> Context | None:
        """Return the context of a name or else of its nearest parent.  Raises TableError, BadCredentials."""
        known, found = state.looked_up
        if known != name:
            found = self._find_now(name)
        if isinstance(found, TableError):
            raise found
        return None if found is None else self._made(*found, name)

    def _find_now(self, name: str) -> _Found | None:
        for key in _keys(name):
            value = self._maps.find_now(key)
            if value is not None:
                return key, value
        return None

    def _made(self, key: str, value: str, name: str) -> Context:
        known = self._contexts.get(key)
        if known is not None and known[0] == value:
            self._contexts.move_to_end(key)
            return known[1]
        context = Context()
        context.set_cipher_list(b"ALL:@SECLEVEL=0")
        self._arrange(context)
        if self._served is not None:
            share_authorities(self._served, context)
        load_pem(context, decode_value(PARAMETER, key, value), f"SNI data for {name}")
        self._contexts[key] = value, context
        while len(self._contexts) > _MOST_REMEMBERED:
            self._contexts.popitem(last=False)
        return context
