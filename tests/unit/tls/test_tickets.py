"""Tickets of one process are good in another that asks the same tlsmgr(8), until their key is too old."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pyfix.formats.clienthello import read_client_hello
from pyfix.formats.ticketkey import TicketKey
from pyfix.runtime.libssl.names import TLS1_2_VERSION
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.runtime.libssl.sessions import resume, session_of
from pyfix.tls.credentials import load_pem
from pyfix.tls.loglevel import LogLevel
from pyfix.tls.tickets import TICKET_CIPHERS, Tickets
from pyfix.tls.verification import Verification
from tests.kit.tls import World
from tests.unit.clients.server import run

from .meeting import talk


class Manager:
    """What tlsmgr(8) would answer."""

    kind = "smtpd"

    def __init__(self, *lifetimes: int) -> None:
        self.asked: list[bytes] = []
        self.keys = [TicketKey(bytes([at]) * 16, b"c" * 32, b"m" * 32, int(time.time()) + left) for at, left in enumerate(lifetimes)]

    async def ticket_key(self, name: bytes = b"") -> TicketKey | None:
        self.asked.append(name)
        found = [key for key in self.keys if key.name == name] if name else self.keys[-1:]
        return found[0] if found else None


class Process:
    """The server's side in one process."""

    def __init__(self, world: World, manager: Any, cipher: str) -> None:
        self.context = Context()
        with open(world.file("ec.chain"), "rb") as file:
            load_pem(self.context, file.read(), "x")
        self.context.set_session_id(b"x")
        self.tickets = Tickets(manager, cipher)
        self.tickets.serve(self.context, 100)
        assert run(self.tickets.prepare())

    def meet(self, client: Context, session: bytes) -> tuple[bool, bytes]:
        """Return whether the client's session went on, and the one that it has then."""
        ours, theirs = Connection(self.context), Connection(client)
        ours.data = Verification("p", LogLevel(), 9, "client")
        ours.accepts()
        theirs.connects()
        if session:
            assert resume(theirs, session)
        theirs.shake_hands()
        first = theirs.take_output()
        hello = read_client_hello(first)
        assert hello is not None and bool(hello.tickets) is bool(session)
        run(self.tickets.prepare_for(hello.tickets))
        ours.receive(first)
        assert talk(theirs, ours)
        theirs.decrypt()  # what comes behind the handshake
        assert ours.data.by_ticket or not ours.resumed
        return ours.resumed, session_of(theirs)


@pytest.mark.parametrize("cipher", TICKET_CIPHERS)
@pytest.mark.parametrize("highest", [0, TLS1_2_VERSION])
def test_another_process_opens_it(world: World, cipher: str, highest: int) -> None:
    manager, client = Manager(50), Context()
    client.set_versions(0, highest)
    one, other = Process(world, manager, cipher), Process(world, manager, cipher)
    resumed, session = one.meet(client, b"")
    assert not resumed
    assert other.meet(client, session)[0] and one.meet(client, session)[0]
    assert manager.asked == [b"", b""]


def test_keys_of_tickets_are_asked_for(world: World) -> None:
    manager, client = Manager(50), Context()
    session = Process(world, manager, "aes-256-cbc").meet(client, b"")[1]
    manager.keys.append(TicketKey(b"z" * 16, b"d" * 32, b"n" * 32, int(time.time()) + 80))
    later = Process(world, manager, "aes-256-cbc")
    assert later.meet(client, session)[0]
    assert manager.asked == [b"", b"", bytes(16)]
    stranger = Process(world, Manager(60, 60), "aes-256-cbc")  # who has another key of that name
    stranger.tickets._manager.keys.clear()  # type: ignore[attr-defined]  # and forgets it
    assert not stranger.meet(client, session)[0]


def test_a_key_that_seals_no_more_still_opens(world: World) -> None:
    manager, client = Manager(50), Context()
    process = Process(world, manager, "aes-256-cbc")
    session = process.meet(client, b"")[1]
    old = manager.keys[0]
    manager.keys = [TicketKey(old.name, old.cipher_key, old.mac_key, int(time.time()) - 5), TicketKey(b"z" * 16, b"d" * 32, b"n" * 32, int(time.time()) + 90)]
    resumed, renewed = Process(world, manager, "aes-256-cbc").meet(client, session)
    assert resumed and renewed != session
    manager.keys[0] = TicketKey(old.name, old.cipher_key, old.mac_key, int(time.time()) - 101)
    assert not Process(world, manager, "aes-256-cbc").meet(client, session)[0]


def test_there_is_no_key(world: World) -> None:
    manager: Any = Manager()
    assert not run(Tickets(manager, "aes-256-cbc").prepare())
