"""Sessions of a client that tlsmgr(8) keeps, for the next connection to the same server under the same conditions.

Source: postconf(5) smtp_tls_session_cache_database, smtp_tls_session_cache_timeout; TLS_README "Client-side TLS session
cache".
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from pyfix.clients.tlsmgr import TlsManager
from pyfix.runtime.daemon import background
from pyfix.runtime.libssl.library import lib
from pyfix.runtime.libssl.names import (
    SESS_CACHE_CLIENT,
    SESS_CACHE_NO_AUTO_CLEAR,
    SESS_CACHE_NO_INTERNAL,
    SESS_CACHE_OFF,
)
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.runtime.libssl.sessions import packed, resume
from pyfix.runtime.log import log
from pyfix.tls.policy import LEVELS
from pyfix.tls.verification import Verification

__all__ = ["ClientCache", "SessionName"]


class SessionName:
    """What a session is kept under: whom it is with, and all that it was agreed on for."""

    def __init__(self, service: str, destination: str, host: str, address: str) -> None:
        """*service*: our name in master.cf.  *destination*: the next hop.  *host*, *address*: the server's."""
        self._before: Final = (service, destination, host, address)

    def complete(self, level: str, conditions: tuple[object, ...]) -> str:
        """Return the id for a security level, and what else has to be the same."""
        digest = sha256(repr((*conditions, lib.OpenSSL_version_num())).encode()).hexdigest().upper()
        return "&".join((*self._before, str(LEVELS.index(level)), "", "", digest))


class ClientCache:
    """The sessions of one process's destinations."""

    def __init__(self, manager: TlsManager) -> None:
        self._manager: Final = manager
        self._asked = False
        self._cached = False
        self._timeout = 0

    async def serve(self, context: Context) -> None:
        """Let sessions of *context* be kept, if they are at all."""
        if not self._asked:
            policy = await self._manager.policy()
            self._asked, self._cached, self._timeout = True, policy.cached, policy.timeout
        if not self._cached:
            context.set_session_cache_mode(SESS_CACHE_OFF)
            return
        context.set_session_cache_mode(SESS_CACHE_CLIENT | SESS_CACHE_NO_AUTO_CLEAR | SESS_CACHE_NO_INTERNAL)
        if self._timeout > 0:
            context.set_timeout(self._timeout)
        context.on_new_session(self._save)

    async def resume(self, connection: Connection, state: Verification) -> None:
        """Let a connection go on with the session that is kept under ``state.cache_id``."""
        if not self._cached:
            state.cache_id = ""
            return
        cache_id, kind = state.cache_id, self._manager.kind
        if state.level.cache:
            log.info(f"looking for session {cache_id} in {kind} cache")
        content = await self._manager.lookup(cache_id)
        if not content or not resume(connection, content):
            return
        if state.level.cache:
            log.info(f"reloaded session {cache_id} from {kind} cache")

    def _save(self, connection: Connection, session: Any) -> None:
        state = connection.data
        if not isinstance(state, Verification) or not state.cache_id:
            return
        if state.level.cache:
            log.info(f"save session {state.cache_id} to {self._manager.kind} cache")
        if content := packed(session):
            background(self._manager.update(state.cache_id, content))

    async def forget(self, state: Verification) -> None:
        """Keep nothing of a session that was no good."""
        if state.cache_id:
            if state.level.cache:
                log.info(f"remove session {state.cache_id} from client cache")
            await self._manager.delete(state.cache_id)
