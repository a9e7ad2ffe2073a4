from __future__ import annotations

from pyfix.daemons.smtp.hosts import Found, Hosts, numerical
from tests.unit.runtime.forked import on_loop


def looked_up(host: str) -> tuple[list[str], str, str]:
    async def test() -> tuple[list[str], str, str]:
        found = Found()
        addresses = await Hosts(None, native=True, ipv4=True, ipv6=False).addresses(host, found)
        failure = found.failure
        return [address for address, _ in addresses], failure.status if failure else "", failure.reason if failure else ""

    result: tuple[list[str], str, str] = on_loop(test)
    return result


def test_addresses_as_they_are_written() -> None:
    assert looked_up("192.0.2.1") == (["192.0.2.1"], "", "")
    assert (numerical("IPv6:::1"), numerical("::1"), numerical("x.example")) == ("::1", "::1", "")


def test_names_of_the_machine() -> None:
    assert looked_up("localhost") == (["127.0.0.1"], "", "")
    addresses, status, reason = looked_up("no such name")
    assert not addresses and status == "5.4.4" and reason.startswith("unable to look up host no such name: ")


def test_an_earlier_problem_that_may_be_over_dominates() -> None:
    found = Found()
    found.fail("x.4.4", "hard")
    assert found.failure is not None and found.failure.status == "5.4.4"
    found.fail("4.4.3", "soft")
    found.fail("x.4.4", "hard")
    assert found.failure.status == "4.4.4"
