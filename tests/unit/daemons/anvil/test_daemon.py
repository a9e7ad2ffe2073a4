"""anvil(8) as its clients see it; that the numbers are Postfix's is in tests/parity/services/test_anvil.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyfix.daemons.anvil import daemon as anvil
from tests.unit.daemons.running import Client, Pair, Running, System, running

PROTOCOL = "anvil_protocol"


@pytest.fixture
def daemon(system: System) -> Iterator[Running]:
    with running(anvil.main, system, "anvil", "-l", encoding="plain") as found:
        yield found


def ask(client: Client, what: str, ident: str = "smtp:192.0.2.1") -> list[Pair] | None:
    return client.ask(("request", what), ("ident", ident))


def counts(status: int, **values: int) -> list[Pair]:
    return [("status", str(status)), *((name, str(value)) for name, value in values.items())]


def test_connections_are_counted_for_each_client(daemon: Running) -> None:
    client = daemon.greeted(PROTOCOL)
    assert ask(client, "connect") == counts(0, count=1, rate=1)
    assert ask(client, "connect") == counts(0, count=2, rate=2)
    assert ask(client, "connect", "smtp:192.0.2.2") == counts(0, count=1, rate=1)
    assert ask(client, "disconnect") == counts(0)
    assert ask(client, "connect") == counts(0, count=2, rate=3)


@pytest.mark.parametrize(("what", "place"), [("message", 2), ("recipient", 3), ("newtls", 4), ("auth", 5)])
def test_events(daemon: Running, what: str, place: int) -> None:
    client = daemon.greeted(PROTOCOL)
    ask(client, "connect")
    assert ask(client, what) == counts(0, rate=1)
    assert ask(client, what) == counts(0, rate=2)
    found = ask(client, "lookup")
    assert found is not None
    assert [name for name, _value in found] == ["status", "count", "rate", "mail", "rcpt", "newtls", "auth"]
    assert [value for _name, value in found[2:]] == ["2" if at == place else "1" if at == 1 else "0" for at in range(1, 6)]


def test_asking_counts_nothing(daemon: Running) -> None:
    client = daemon.greeted(PROTOCOL)
    assert ask(client, "newtls_status") == counts(0, rate=0)
    assert ask(client, "newtls_status") == counts(0, rate=0)
    assert ask(client, "lookup") == counts(0, count=0, rate=0, mail=0, rcpt=0, newtls=0, auth=0)


def test_a_server_that_dies_takes_its_connections_along(daemon: Running) -> None:
    dying, other = daemon.greeted(PROTOCOL), daemon.greeted(PROTOCOL)
    ask(dying, "connect")
    ask(dying, "connect")
    ask(other, "connect")
    dying.close()
    while (found := ask(other, "lookup")) != counts(0, count=1, rate=3, mail=0, rcpt=0, newtls=0, auth=0):
        assert found is not None and found[1] in (("count", "3"), ("count", "1"))


def test_a_disconnect_of_others_is_not_ours_to_say(daemon: Running) -> None:
    client, other = daemon.greeted(PROTOCOL), daemon.greeted(PROTOCOL)
    ask(client, "connect")
    assert ask(other, "disconnect") == counts(0)
    assert ask(other, "connect") == counts(0, count=2, rate=2)


def test_an_unknown_request(daemon: Running) -> None:
    client = daemon.greeted(PROTOCOL)
    assert ask(client, "dance") == counts(0xFFFFFFFF)
    assert 'anvil: warning: unrecognized request: "dance", ignored' in daemon.system.logged("ignored")
    assert ask(client, "connect") == counts(0, count=1, rate=1)


def test_an_unknown_request_of_nobody_ends_the_connection(daemon: Running) -> None:
    assert daemon.greeted(PROTOCOL).ask(("request", "dance")) is None
    assert "anvil: warning: missing attribute ident in input from anvil socket" in daemon.system.logged("missing")


def test_a_request_that_lacks_something_ends_the_connection(daemon: Running) -> None:
    client = daemon.greeted(PROTOCOL)
    assert client.ask(("request", "connect")) is None
    daemon.system.logged("warning: missing attribute ident")
    assert ask(daemon.greeted(PROTOCOL), "connect") == counts(0, count=1, rate=1)


def test_peaks_are_logged_at_the_end(system: System) -> None:
    with running(anvil.main, system, "anvil", "-l", encoding="plain") as daemon:
        client = daemon.greeted(PROTOCOL)
        ask(client, "connect")
        ask(client, "message")
        client.close()
    lines = system.logged("max cache size")
    assert any("statistics: max connection rate 1/60s for (smtp:192.0.2.1) at " in line for line in lines)
    assert any("statistics: max connection count 1 for (smtp:192.0.2.1) at " in line for line in lines)
    assert any("statistics: max message rate 1/60s for (smtp:192.0.2.1) at " in line for line in lines)
    assert not any("recipient" in line for line in lines)
