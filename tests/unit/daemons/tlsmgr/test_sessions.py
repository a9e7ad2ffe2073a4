from __future__ import annotations

import pytest

from pyfix.daemons.tlsmgr import sessions
from pyfix.daemons.tlsmgr.sessions import SessionCache


def test_the_last_session_counts_until_it_expires() -> None:
    cache = SessionCache(10)
    cache.save("a", b"one", 0)
    cache.save("a", b"two", 5)
    assert cache.find("a", 14) == b"two" and cache.find("b", 5) is None
    assert cache.find("a", 15) is None


def test_deleting() -> None:
    cache = SessionCache(10)
    cache.save("c", b"x", 20)
    assert cache.delete("c") and not cache.delete("c") and cache.find("c", 21) is None


def test_the_oldest_leave_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_MOST_SESSIONS", 3)
    cache = SessionCache(10)
    for name in "abc":
        cache.save(name, b"x", 0)
    cache.save("a", b"y", 1)
    cache.save("d", b"x", 1)
    assert [name for name in "abcd" if cache.find(name, 2) is not None] == ["a", "c", "d"]
