from __future__ import annotations

from pyfix.daemons.smtp.order import Order
from pyfix.daemons.smtp.server import Server


def servers(*addresses: str, preference: int = 10) -> list[Server]:
    return [Server("x.example", "mx.example", address, 25, preference) for address in addresses]


def arranged(
    found: list[Server], *, shuffled: bool = False, preferred: str = "any", balanced: bool = False
) -> list[str]:
    order = Order(shuffled=shuffled, preferred=preferred, balanced=balanced, limit=4)
    return [server.address for server in order.arrange(found)]


def test_preferences() -> None:
    found = servers("192.0.2.2", preference=20) + servers("192.0.2.1", "2001:db8::1")
    assert arranged(found) == ["192.0.2.1", "2001:db8::1", "192.0.2.2"]
    assert arranged(found, preferred="ipv6") == ["2001:db8::1", "192.0.2.1", "192.0.2.2"]


def test_any_may_be_the_first() -> None:
    found = servers(*(f"192.0.2.{number}" for number in range(1, 6)))
    assert len({arranged(found, shuffled=True)[0] for _ in range(200)}) > 1
    assert sorted(arranged(found, shuffled=True)) == sorted(arranged(found))


def test_both_protocols_have_a_part() -> None:
    found = servers(*(f"2001:db8::{number}" for number in range(1, 7)), "192.0.2.1", "192.0.2.2", "192.0.2.3")
    assert arranged(found, balanced=True) == ["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"]
    few = servers(*(f"2001:db8::{number}" for number in range(1, 7)), "192.0.2.1")
    assert arranged(few, balanced=True) == ["2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1"]
    assert arranged(few) == [server.address for server in few]
