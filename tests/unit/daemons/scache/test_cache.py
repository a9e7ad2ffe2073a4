from __future__ import annotations

import os

from pyfix.daemons.scache.cache import ConnectionCache, Destination, Endpoint


def endpoint(label: str, expires: float = 100) -> Endpoint:
    return Endpoint(label, "p", os.open("/dev/null", os.O_RDONLY), expires)


def closed(one: Endpoint) -> bool:
    try:
        os.fstat(one.descriptor)
    except OSError:
        return True
    os.close(one.descriptor)
    return False


def test_oldest_endpoint_first() -> None:
    cache = ConnectionCache()
    saved = [endpoint("a"), endpoint("a"), endpoint("b")]
    for one in saved:
        cache.save_endpoint(one)
    assert (cache.count, cache.endpoints) == (3, 2)
    assert [cache.take_endpoint(label) for label in ("a", "a", "a", "b", "none")] == [saved[0], saved[1], None, saved[2], None]
    assert (cache.count, cache.endpoints) == (0, 0)
    assert [one for one in saved if closed(one)] == []


def test_destinations_lead_to_endpoints() -> None:
    cache = ConnectionCache()
    first, second = endpoint("a"), endpoint("b")
    ways = [Destination("a", "one", 100), Destination("b", "two", 100)]
    for way in ways:
        cache.save_destination("d", way)
    assert cache.take_destination("d") is None
    cache.save_endpoint(second)
    cache.save_endpoint(first)
    assert cache.take_destination("d") == (ways[0], first)
    assert cache.take_destination("d") == (ways[1], second)
    assert cache.take_destination("d") is None and cache.take_destination("e") is None
    assert [one for one in (first, second) if closed(one)] == []


def test_expiry_closes_and_forgets() -> None:
    cache = ConnectionCache()
    assert cache.next_expiry() is None
    old, young = endpoint("a", 10), endpoint("a", 20)
    cache.save_endpoint(old)
    cache.save_endpoint(young)
    cache.save_destination("d", Destination("a", "p", 15))
    assert cache.next_expiry() == 10
    cache.expire(15)
    assert closed(old) and (cache.count, cache.destinations, cache.next_expiry()) == (1, 0, 20)
    assert cache.take_endpoint("a") is young and not closed(young)
