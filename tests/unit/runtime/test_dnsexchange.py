from __future__ import annotations

import socket

from pyfix.runtime.dnsexchange import ask_servers
from pyfix.runtime.resolvconf import NameServer, ResolverConfiguration
from tests.kit.dnsdouble import DnsDouble, rcode, silence
from tests.unit.runtime.forked import on_loop

QUESTION = b"\1a\7example\0\0\1\0\1"
QUERY = b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + QUESTION


def answer(*servers: DnsDouble, first: int = 0, tcp: bool = False) -> bytes | None:
    configuration = ResolverConfiguration(
        tuple(NameServer(socket.AF_INET, server.address) for server in servers), timeout=1, attempts=1, tcp=tcp
    )

    async def test() -> object:
        return await ask_servers(QUERY, QUESTION, configuration, first)

    return on_loop(test)  # type: ignore[return-value]  # what on_loop returns is an object


def test_datagrams_and_streams() -> None:
    with DnsDouble("a.example A 192.0.2.1") as server:
        for tcp in (False, True):
            found = answer(server, tcp=tcp)
            assert found is not None and found.endswith(b"\xc0\0\2\1")
        server.small = True
        assert (answer(server) or b"").endswith(b"\xc0\0\2\1")
        assert server.over_tcp == [("a.example", "A")] * 2


def test_which_server_comes_first() -> None:
    with DnsDouble("a.example A 192.0.2.1") as one, DnsDouble("a.example A 192.0.2.2") as other:
        assert (answer(one, other) or b"")[-1] == 1
        assert (answer(one, other, first=1) or b"")[-1] == 2
        one.scripts["a.example"] = rcode("REFUSED")
        assert (answer(one, other) or b"")[-1] == 2


def test_a_referral_is_no_answer() -> None:
    def referral(query: object) -> bytes:
        return QUERY[:2] + b"\x80\0\0\1\0\0\0\0\0\0" + QUESTION

    with DnsDouble("", {"a.example": referral}) as one, DnsDouble("a.example A 192.0.2.2") as other:
        assert (answer(one, other) or b"")[-1] == 2
        assert answer(one) is None


def test_nobody_answers() -> None:
    with DnsDouble("", {"a.example": silence}) as server:
        assert answer(server) is None
        assert answer(server, tcp=True) is None
    assert answer(server) is None
    assert answer(server, tcp=True) is None


def test_no_descriptor_is_left() -> None:
    """Like a server that is not there: the question may be asked again later."""

    async def test() -> object:
        def fail(*_: object) -> None:
            raise OSError(24, "Too many open files")

        socket.socket = fail  # type: ignore[misc,assignment]  # in a process of its own
        servers = (NameServer(socket.AF_INET, ("127.0.0.1", 53)),)
        found = []
        for tcp in (False, True):
            configuration = ResolverConfiguration(servers, timeout=1, attempts=1, tcp=tcp)
            found.append(await ask_servers(QUERY, QUESTION, configuration, 0))
        return found

    assert on_loop(test) == [None, None]
