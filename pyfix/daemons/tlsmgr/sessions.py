"""A cache of TLS sessions of one kind, in memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

_MOST_SESSIONS: Final = 20000


class SessionCache:
    """Sessions by id, each for *lifetime* seconds; the oldest leave when there are too many."""

    def __init__(self, lifetime: int) -> None:
        self._lifetime = lifetime
        self._sessions: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def save(self, cache_id: str, session: bytes, now: float) -> None:
        """Keep a session; one with the same id is replaced."""
        self._sessions.pop(cache_id, None)
        self._sessions[cache_id] = (now + self._lifetime, session)
        while len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)

    def find(self, cache_id: str, now: float) -> bytes | None:
        """Return a session that is still good."""
        found = self._sessions.get(cache_id)
        if found is None:
            return None
        if found[0] <= now:
            del self._sessions[cache_id]
            return None
        return found[1]

    def delete(self, cache_id: str) -> bool:
        """Forget a session; tell whether it was there."""
        return self._sessions.pop(cache_id, None) is not None
