from __future__ import annotations

from pyfix.daemons.tlsmgr.sessions import SessionCache
from pyfix.daemons.tlsmgr.tickets import TicketKeys


def test_sessions() -> None:
    cache = SessionCache(10)
    cache.save("a", b"one", 0)
    cache.save("a", b"two", 5)
    assert cache.find("a", 14) == b"two" and cache.find("b", 5) is None
    assert cache.find("a", 15) is None
    cache.save("c", b"x", 20)
    assert cache.delete("c") and not cache.delete("c") and cache.find("c", 21) is None


def test_ticket_keys_take_turns() -> None:
    keys = TicketKeys(100)
    first = keys.encrypting(0)
    assert keys.encrypting(99) is first and len(first.encode()) == 88 and first.encode()[:16] == first.name
    second = keys.encrypting(100)
    assert second is not first and second.name != first.name
    assert keys.named(first.name, 150) is first and keys.named(second.name, 150) is second
    assert keys.named(first.name, 200) is None and keys.named(b"x" * 16, 100) is None
