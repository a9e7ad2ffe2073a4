"""Sessions that tlsmgr(8) keeps, resumed by another process of the same service."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.formats.clienthello import read_client_hello
from pyfix.runtime.libssl.names import SESS_CACHE_NO_INTERNAL, SESS_CACHE_SERVER, TLS1_2_VERSION
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.runtime.libssl.sessions import resume, session_of
from pyfix.tls.credentials import load_pem
from pyfix.tls.loglevel import LogLevel
from pyfix.tls.servercache import ServerCache
from pyfix.tls.verification import Verification
from tests.kit.tls import World
from tests.unit.clients.server import run

from .meeting import talk


class Manager:
    kind = "smtpd"

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def lookup(self, cache_id: str) -> bytes:
        return self.kept.get(cache_id, b"")

    async def update(self, cache_id: str, session: bytes) -> None:
        self.kept[cache_id] = session

    async def delete(self, cache_id: str) -> None:
        self.kept.pop(cache_id, None)


def meet(world: World, manager: Any, client: Context, session: bytes, service: str, *, forgets: bool = False) -> tuple[bool, bytes]:
    context = Context()
    with open(world.file("ec.chain"), "rb") as file:
        load_pem(context, file.read(), "x")
    context.set_session_id(b"x")
    context.set_session_cache_mode(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL)
    cache = ServerCache(manager, service, modern=True)
    cache.serve(context)
    ours, theirs = Connection(context), Connection(client)
    ours.give_no_ticket()
    state = ours.data = Verification("p", LogLevel(cache=True), 9, "client")
    ours.accepts()
    theirs.connects()
    if session:
        assert resume(theirs, session)
    theirs.shake_hands()
    first = theirs.take_output()
    hello = read_client_hello(first)
    assert hello is not None
    run(cache.prepare_for(hello, state))
    ours.receive(first)
    assert talk(theirs, ours)
    run(cache.save(state))
    theirs.decrypt()
    found = session_of(theirs)
    for side in (ours, theirs):
        side.say_goodbye()
    if forgets:
        run(cache.forget(ours, state))
    return ours.resumed, found


@pytest.mark.parametrize("highest", [0, TLS1_2_VERSION])
def test_another_process_resumes_it(world: World, lines: list[str], highest: int) -> None:
    manager, client = Manager(), Context()
    client.set_versions(0, highest)
    resumed, session = meet(world, manager, client, b"", "smtp")
    assert not resumed and manager.kept
    cache_id = next(iter(manager.kept))
    assert f"p: save session {cache_id} to smtpd cache" in lines
    lines.clear()
    assert not meet(world, manager, client, session, "submission")[0]
    assert not any("reloaded" in line for line in lines)
    resumed, _ = meet(world, manager, client, session, "smtp", forgets=True)
    assert resumed
    assert any(line.startswith("p: reloaded session ") for line in lines) and any(line.startswith("p: remove session ") for line in lines)


def test_what_is_kept_may_be_damaged(world: World) -> None:
    manager, client = Manager(), Context()
    client.set_versions(0, TLS1_2_VERSION)
    session = meet(world, manager, client, b"", "smtp")[1]
    for cache_id in manager.kept:
        manager.kept[cache_id] = b"nonsense"
    assert not meet(world, manager, client, session, "smtp")[0]
