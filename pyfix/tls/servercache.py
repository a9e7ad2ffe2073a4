"""Sessions of a server that tlsmgr(8) keeps, for clients without tickets and for processes to come.

A handshake cannot wait: what a client wants to resume is fetched before, and what is to be saved is sent behind it.

Source: postconf(5) smtpd_tls_session_cache_database, smtpd_tls_session_cache_timeout.
"""

from __future__ import annotations

from typing import Any, Final

from pyfix.clients.tlsmgr import TlsManager
from pyfix.formats.clienthello import ClientHello
from pyfix.runtime.libssl.library import ffi, lib
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.runtime.libssl.sessions import id_of, packed, unpacked
from pyfix.runtime.log import log
from pyfix.tls.verification import Verification

__all__ = ["ServerCache"]

_ID_BYTES: Final = 32
"""Of a session id, and of what stands for it in TLS 1.3 where there are no tickets."""


class ServerCache:
    """The sessions of one service."""

    def __init__(self, manager: TlsManager, service: str, *, modern: bool) -> None:
        """*service*: its name in master.cf; what another service has agreed on is not resumed.  *modern*: there is

        TLS 1.3, whose clients have no id of a session.
        """
        self._modern: Final = modern
        self._manager: Final = manager
        self._suffix: Final = f"&s={service}&l={lib.OpenSSL_version_num()}"

    def serve(self, context: Context) -> None:
        """Be asked by the handshakes of *context*."""
        context.on_new_session(self._save)
        context.on_wanted_session(self._find)

    def _cache_id(self, session_id: bytes) -> str:
        return session_id.hex().upper() + self._suffix

    async def prepare_for(self, hello: ClientHello, state: Verification) -> None:
        """Have the sessions at hand that a client wants to resume."""
        wanted = [ticket for ticket in hello.tickets if len(ticket) == _ID_BYTES]
        if not hello.tickets and not (self._modern and hello.modern):
            wanted.append(hello.session_id)
        for session_id in dict.fromkeys(wanted):
            if session_id:
                state.sessions[session_id] = await self._manager.lookup(self._cache_id(session_id))

    def _find(self, connection: Connection, session_id: bytes) -> Any:
        state = connection.data
        if not isinstance(state, Verification):
            return ffi.NULL
        cache_id = self._cache_id(session_id)
        if state.level.cache:
            log.info(f"{state.peer}: looking up session {cache_id} in {self._manager.kind} cache")
        content = state.sessions.get(session_id)
        if not content:
            return ffi.NULL
        session = unpacked(content)
        if session != ffi.NULL and state.level.cache:
            log.info(f"{state.peer}: reloaded session {cache_id} from {self._manager.kind} cache")
        return session

    def _save(self, connection: Connection, session: Any) -> None:
        state = connection.data
        if isinstance(state, Verification):
            cache_id = self._cache_id(id_of(session))
            if state.level.cache:
                log.info(f"{state.peer}: save session {cache_id} to {self._manager.kind} cache")
            state.made[cache_id] = packed(session)

    async def save(self, state: Verification) -> None:
        """Let tlsmgr keep what came of a handshake."""
        made, state.made = state.made, {}
        for cache_id, content in made.items():
            await self._manager.update(cache_id, content)

    async def forget(self, connection: Connection, state: Verification) -> None:
        """Let tlsmgr keep nothing of a session that was no good."""
        session = lib.SSL_get1_session(connection.handle)
        if session == ffi.NULL:
            return
        cache_id = self._cache_id(id_of(ffi.gc(session, lib.SSL_SESSION_free)))
        if state.level.cache:
            log.info(f"{state.peer}: remove session {cache_id} from {self._manager.kind} cache")
        await self._manager.delete(cache_id)
