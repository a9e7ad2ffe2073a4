"""Sessions that stay open for a moment, for the next message to the same destination or the same server.

One process serves all deliveries of its service, so that the sessions stay in its memory at first, where taking one
costs nothing.  One that nobody has taken for a moment goes to scache(8), for other processes.  Source:
CONNECTION_CACHE_README; postconf(5) smtp_connection_cache_time_limit, smtp_connection_reuse_count_limit,
smtp_connection_reuse_time_limit.
"""

from __future__ import annotations

from collections import deque
from typing import Final, TypeVar

from pyfix.daemons.smtp.server import Server
from pyfix.daemons.smtp.session import Session
from pyfix.daemons.smtp.shared import SharedSessions
from pyfix.runtime.daemon import background
from pyfix.runtime.loop import current
from pyfix.runtime.outgoing import Address

_OWN_SECONDS: Final = 0.2
"""How long a session is only ours."""
_ROUND: Final = 1.0
"""Seconds between two looks at sessions that nobody but us may use."""
_Key = TypeVar("_Key", str, Address)


class KeptSessions:
    """The open sessions that no message uses."""

    def __init__(self, seconds: float, most_uses: int, shared: SharedSessions | None = None) -> None:
        """*seconds*: how long an unused session stays; *most_uses*: how often one is used again, 0: any number.

        *shared*: where sessions go that nobody takes.
        """
        self._shared: Final = shared
        self._seconds: Final = seconds
        self._most_uses: Final = most_uses
        self._by_destination: dict[str, deque[Session]] = {}
        self._by_server: dict[Address, deque[Session]] = {}
        self._sweeping = False

    def may_keep(self, session: Session) -> bool:
        """Say whether a session may be used once more, after the message that it is used for now."""
        if session.worn or current().now >= session.expires:
            return False
        return not self._most_uses or session.reuse_count < self._most_uses

    def save(self, session: Session, destination: str) -> None:
        """Keep a session for a destination unless that is empty, and for its server.

        One that has logged in is kept for the destination alone: another may have other names and passwords.
        """
        if session.authenticated and not destination:
            session.close()
            return
        session.kept_until = current().now + self._seconds
        session.destination = destination
        if not session.authenticated:
            self._by_server.setdefault(session.server.endpoint, deque()).append(session)
        if destination:
            self._by_destination.setdefault(destination, deque()).append(session)
        if not self._sweeping:
            self._sweeping = True
            current().later(min(_OWN_SECONDS, self._seconds), self._sweep)

    def take_for_destination(self, destination: str) -> Session | None:
        """Take a session that serves a destination, the one that was saved first."""
        return self._take(self._by_destination.get(destination))

    def take_for_server(self, server: Server) -> Session | None:
        """Take a session with a server, under the name that it has now."""
        sessions = self._by_server.get(server.endpoint)
        if sessions and any(one.personal and one.server.destination != server.destination for one in sessions):
            return None
        session = self._take(sessions)
        if session is not None:
            session.server = server
        return session

    def _take(self, sessions: deque[Session] | None) -> Session | None:
        while sessions:
            session = sessions[0]
            self._forget(session)
            if session.idle_and_alive and current().now < session.kept_until:
                session.reuse_count += 1
                return session
            session.close()
        return None

    def _forget(self, session: Session) -> None:
        if not session.authenticated:
            _remove(self._by_server, session.server.endpoint, session)
        if session.destination:
            _remove(self._by_destination, session.destination, session)

    def _sweep(self) -> None:
        now, pause = current().now, min(_ROUND, self._seconds / 2)
        for session in self._all():
            if session.kept_until <= now or not session.idle_and_alive:
                self._forget(session)
                session.close()
            elif self._shared is not None and self._shared.takes(session):
                if self._is_old(session, now):
                    self._forget(session)
                    background(self._shared.give(session))
                else:
                    pause = min(pause, _OWN_SECONDS / 2)
        self._sweeping = bool(self._by_server or self._by_destination)
        if self._sweeping:
            current().later(pause, self._sweep)

    def _is_old(self, session: Session, now: float) -> bool:
        return self._seconds - (session.kept_until - now) >= _OWN_SECONDS

    def close(self) -> None:
        """Close them all."""
        for session in self._all():
            self._forget(session)
            session.close()

    def _all(self) -> list[Session]:
        tables = (self._by_server.values(), self._by_destination.values())
        return list(dict.fromkeys(session for table in tables for sessions in table for session in sessions))


def _remove(table: dict[_Key, deque[Session]], key: _Key, session: Session) -> None:
    sessions = table[key]
    sessions.remove(session)
    if not sessions:
        del table[key]
