"""What is said of a session to scache(8), and a session that is made of it again."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtp.server import Server
from pyfix.daemons.smtp.setup import Setup
from pyfix.daemons.smtp.shared import SharedSessions
from pyfix.protocols.smtp.features import offer_of
from pyfix.runtime.loop import current
from pyfix.runtime.stream import Stream
from tests.unit.runtime.forked import on_loop

SERVER = Server("dest.example", "mx.dest.example", "192.0.2.1", 25, best=True)
BITS = 0x20800F


class Cache:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.ends: dict[str, tuple[int, str]] = {}
        self.ways: dict[str, tuple[str, str]] = {}

    async def save(self, label: str, properties: str, descriptor: int, seconds: int) -> bool:
        self.ends[label] = os.dup(descriptor), properties
        return True

    async def save_destination(self, label: str, properties: str, endpoint_label: str, seconds: int) -> None:
        self.ways[label] = properties, endpoint_label

    async def find(self, label: str) -> tuple[int, str] | None:
        return self.ends.pop(label, None)

    async def find_destination(self, label: str) -> tuple[int, str, str] | None:
        if label not in self.ways or self.ways[label][1] not in self.ends:
            return None
        descriptor, properties = self.ends.pop(self.ways[label][1])
        return descriptor, self.ways[label][0], properties


def shared(cache: Any) -> tuple[SharedSessions, Setup]:
    settings = SmtpClientSettings(Snapshot({"compatibility_level": "3.11", "smtp_tls_security_level": "none"}))
    setup = Setup(settings, lmtp=False, service="relay", ipv4=True, ipv6=True)
    setup.reply_filter = setup._maps("reply_filter", ())
    setup.discard_maps = setup._maps("discard_ehlo_keyword_address_maps", ())
    found = SharedSessions(setup)
    found._cache = cache  # type: ignore[misc]  # instead of the socket
    return found, setup


def test_there_and_back() -> None:
    async def test() -> list[object]:
        cache = Cache()
        sessions, setup = shared(cache)
        near, far = socket.socketpair()
        near.setblocking(False)
        session = setup.new_session(SERVER, Stream(near, 5))
        session.offer, session.esmtp, session.reuse_count, session.destination = offer_of(BITS), True, 2, "dest.example"
        session.expires, session.kept_until = current().now + 300, current().now + 2
        assert sessions.takes(session)
        await sessions.give(session)
        label = "relay\n192.0.2.1\n25\n0\n0\n0\n"
        assert list(cache.ends) == [label]
        way = "destination=dest.example\nhost_name=mx.dest.example\nhost_addr=192.0.2.1\nhost_port=6400\ndestination_features=4096\n\n"
        assert cache.ways == {"relay\ndest.example\n0\n0\n0\n": (way, label)}
        again = await sessions.take_for_destination("dest.example")
        assert again is not None and again.server == SERVER
        far.sendall(b"250 ok\r\n")
        reply = await again.reply(5)
        # Given once more, by its server now.
        again.destination, again.kept_until = "", current().now + 2
        await sessions.give(again)
        last = await sessions.take_for_server(SERVER)
        assert last is not None
        return [reply.code, again.reuse_count, last.reuse_count, sorted(last.offer.keywords), 290 < last.expires - current().now <= 300, last.window > 0]

    assert on_loop(test) == [250, 3, 4, ["8BITMIME", "DSN", "PIPELINING", "SIZE", "SMTPUTF8"], True, True]


@pytest.mark.parametrize("properties", ["", "tls_level=x\n\n", "tls_level=99\nreuse_count=0\nendpoint_features=0\nexpire_time=0\n\n", "reuse_count=1\n\n"])
def test_what_is_said_may_be_nonsense(properties: str) -> None:
    async def test() -> object:
        cache = Cache()
        sessions, _ = shared(cache)
        near, _far = socket.socketpair()
        cache.ends["relay\n192.0.2.1\n25\n0\n0\n0\n"] = near.detach(), properties
        return await sessions.take_for_server(SERVER)

    assert on_loop(test) is None


@pytest.mark.parametrize("ends", [True, False])
def test_a_server_that_is_gone_or_talks(ends: bool) -> None:
    async def test() -> object:
        cache = Cache()
        sessions, _ = shared(cache)
        near, far = socket.socketpair()
        if ends:
            far.close()
        else:
            far.sendall(b"421 bye\r\n")
        said = "tls_level=0\nreuse_count=0\nendpoint_features=1\nexpire_time=9999999999\n\n"
        cache.ends["relay\n192.0.2.1\n25\n0\n0\n0\n"] = near.detach(), said
        return await sessions.take_for_server(SERVER)

    assert on_loop(test) is None


def test_whose_sessions_are_not_shared() -> None:
    sessions, setup = shared(Cache())
    for name, value in (("authenticated", True), ("personal", True), ("encrypted", object()), ("server", SERVER._replace(port=0))):
        session: Any = setup.new_session(SERVER, object())  # type: ignore[arg-type]  # nothing is said
        assert sessions.takes(session)
        setattr(session, name, value)
        assert not sessions.takes(session)
