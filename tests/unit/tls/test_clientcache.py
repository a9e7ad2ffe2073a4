from __future__ import annotations

from typing import Any

from pyfix.clients.tlsmgr import CachePolicy
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.tls.clientcache import ClientCache, SessionName
from pyfix.tls.loglevel import LogLevel
from pyfix.tls.verification import Verification
from tests.unit.clients.server import run


class Manager:
    kind = "smtp"

    def __init__(self, *, cached: bool) -> None:
        self.cached = cached
        self.asked: list[str] = []

    async def policy(self) -> CachePolicy:
        self.asked.append("policy")
        return CachePolicy(cached=self.cached, timeout=100)

    async def lookup(self, cache_id: str) -> bytes:
        self.asked.append(f"lookup {cache_id}")
        return b"nonsense"

    async def delete(self, cache_id: str) -> None:
        self.asked.append(f"delete {cache_id}")


def test_names() -> None:
    name = SessionName("relay", "[127.0.0.1]:25", "127.0.0.1", "127.0.0.1")
    found = name.complete("encrypt", ("x",))
    assert found.startswith("relay&[127.0.0.1]:25&127.0.0.1&127.0.0.1&2&&&") and len(found.rpartition("&")[2]) == 64
    assert found == name.complete("encrypt", ("x",)) != name.complete("encrypt", ("y",))
    assert name.complete("secure", ("x",)).split("&")[4] == "8"


def asked(lines: list[str], manager: Any) -> None:
    cache, contexts = ClientCache(manager), [Context(), Context()]
    for context in contexts:
        run(cache.serve(context))
    connection = Connection(contexts[0])
    state = connection.data = Verification("p", LogLevel(cache=True), 9, "server", cache_id="id")
    connection.connects()
    run(cache.resume(connection, state))
    run(cache.forget(state))


def test_nothing_is_kept(lines: list[str]) -> None:
    manager = Manager(cached=False)
    asked(lines, manager)
    assert manager.asked == ["policy"] and lines == []


def test_what_is_kept_is_no_session(lines: list[str]) -> None:
    manager = Manager(cached=True)
    asked(lines, manager)
    assert manager.asked == ["policy", "lookup id", "delete id"]
    assert lines == ["looking for session id in smtp cache", "remove session id from client cache"]
