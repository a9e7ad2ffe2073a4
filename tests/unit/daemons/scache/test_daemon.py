"""scache(8) as smtp(8) sees it; that it is Postfix's is in tests/parity/services/test_scache.py."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from pyfix.daemons.scache import daemon as scache
from tests.unit.daemons.running import Client, Pair, Running, System, running

PROTOCOL = "connection_cache_protocol"
READY = ("dummy", "")
NOT_FOUND = [("status", "2"), ("property", "")]


@pytest.fixture
def daemon(system: System) -> Iterator[Running]:
    with running(scache.main, system, "scache", "-l") as found:
        yield found


def save(client: Client, label: str, properties: str, ttl: int = 100) -> socket.socket:
    """Save one end of a connection; return the other."""
    mine, theirs = socket.socketpair()
    request = [("request", "save_endp"), ("ttl", str(ttl)), ("label", label), ("property", properties)]
    assert client.ask(*request) == [READY]
    socket.send_fds(client.socket, [b"x"], [theirs.fileno()])
    theirs.close()
    assert client.receive() == [("status", "0")]
    mine.settimeout(10)
    return mine


def take(client: Client, kind: str, label: str) -> tuple[list[str], socket.socket]:
    """Find what was saved; return its properties and the connection."""
    found = client.ask(("request", kind), ("label", label))
    assert found is not None and found[0] == ("status", "0")
    client.send(READY)
    _data, descriptors, _flags, _address = socket.recv_fds(client.socket, 1, 1)
    client.send(READY)
    return [value for _name, value in found[1:]], socket.socket(fileno=descriptors[0])


def works(mine: socket.socket, taken: socket.socket) -> bool:
    with mine, taken:
        taken.sendall(b"QUIT")
        return mine.recv(10) == b"QUIT"


def test_a_connection_is_found_once(daemon: Running) -> None:
    client = daemon.greeted(PROTOCOL)
    mine = save(client, "192.0.2.1", "helo=x")
    properties, taken = take(daemon.greeted(PROTOCOL), "find_endp", "192.0.2.1")
    assert properties == ["helo=x"]
    assert works(mine, taken)
    assert client.ask(("request", "find_endp"), ("label", "192.0.2.1")) == NOT_FOUND


def test_a_destination_leads_to_its_endpoint(daemon: Running) -> None:
    client = daemon.greeted(PROTOCOL)
    mine = save(client, "192.0.2.1", "endpoint")
    save_destination = [("request", "save_dest"), ("ttl", "100"), ("label", "x.example"), ("property", "destination")]
    assert client.ask(*save_destination, ("label", "192.0.2.1")) == [("status", "0")]
    properties, taken = take(client, "find_dest", "x.example")
    assert properties == ["destination", "endpoint"]
    assert works(mine, taken)
    assert client.ask(("request", "find_dest"), ("label", "x.example")) == [*NOT_FOUND, ("property", "")]


def test_a_connection_that_nobody_takes_is_closed_in_time(daemon: Running) -> None:
    with save(daemon.greeted(PROTOCOL), "192.0.2.1", "", ttl=1) as mine:
        assert mine.recv(10) == b""


def test_the_one_that_was_saved_last_may_be_the_first_to_go(daemon: Running) -> None:
    client = daemon.greeted(PROTOCOL)
    with save(client, "192.0.2.1", "", ttl=60), save(client, "192.0.2.2", "", ttl=1) as mine:
        assert mine.recv(10) == b""
        assert client.ask(("request", "find_endp"), ("label", "192.0.2.2")) == NOT_FOUND


def test_a_client_that_vanishes_before_it_takes_the_connection(daemon: Running) -> None:
    client = daemon.greeted(PROTOCOL)
    mine = save(client, "192.0.2.1", "")
    client.send(("request", "find_endp"), ("label", "192.0.2.1"))
    client.receive()
    client.close()
    with mine:
        assert mine.recv(10) == b"", "nobody has the connection: it must be closed"


BAD = ("status", "1")
PROPERTY = ("property", "")


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        ([("request", "dance")], [BAD]),
        ([("request", "save_endp")], [BAD]),
        ([("request", "save_endp"), ("ttl", "0"), ("label", "x"), PROPERTY], [BAD]),
        ([("request", "save_dest"), ("ttl", "-1"), ("label", "x"), PROPERTY, ("label", "x")], [BAD]),
        ([("request", "find_endp")], [BAD, PROPERTY]),
        ([("request", "find_dest")], [BAD, PROPERTY, PROPERTY]),
    ],
)
def test_what_is_refused(daemon: Running, request_: list[Pair], reply: list[Pair]) -> None:
    client = daemon.greeted(PROTOCOL)
    assert client.ask(*request_) == reply
    name = request_[0][1]
    wanted = f"scache_{name}_service: bad or missing request parameter"
    unknown = f'unrecognized request: "{name}", ignored'
    assert f"scache: warning: {unknown if name == 'dance' else wanted}" in daemon.system.logged("unrecognized|bad or missing")
    assert client.ask(("request", "find_endp"), ("label", "x")) == NOT_FOUND, "the connection goes on"


def test_a_list_that_is_no_request_ends_the_connection(daemon: Running) -> None:
    assert daemon.greeted(PROTOCOL).ask(("foo", "bar")) is None
    daemon.system.logged("warning: unexpected attribute foo from scache socket")


def test_statistics_at_the_end(system: System) -> None:
    with running(scache.main, system, "scache", "-l") as daemon:
        client = daemon.greeted(PROTOCOL)
        mine = save(client, "a", "")
        works(mine, take(client, "find_endp", "a")[1])
        client.ask(("request", "find_endp"), ("label", "a"))
        client.ask(("request", "find_dest"), ("label", "a"))
        client.close()
    lines = system.logged("max simultaneous")
    assert lines[-3:] == [
        "scache: statistics: domain lookup hits=0 miss=1 success=0%",
        "scache: statistics: address lookup hits=1 miss=1 success=50%",
        "scache: statistics: max simultaneous domains=0 addresses=1 connection=1",
    ]
