from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.daemons.trivial_rewrite import daemon as module
from pyfix.daemons.trivial_rewrite.daemon import TrivialRewrite
from pyfix.protocols.internal.rewrite import ResolveRequest, RewriteReply, RewriteRequest, VerifyRequest
from pyfix.runtime.child import Invocation

from .conftest import now

Make = Callable[[str], RewriteSettings]

GREETING = b"protocol\0trivial_rewrite_protocol\0\0"


class FakeStream:
    """Gives what a client sends, piece by piece, and keeps what it is told."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.out = b""
        self.timeout = 1.0

    async def read(self) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    def write(self, data: bytes) -> None:
        self.out += data


def make(settings: RewriteSettings) -> TrivialRewrite:
    daemon = TrivialRewrite(Invocation.parse("trivial-rewrite", ["-n", "rewrite", "-t", "unix"]), settings.snapshot)
    daemon.loop = SimpleNamespace(now=0.0)  # type: ignore[assignment]  # a fake with what it needs
    daemon.before_jail()
    now(daemon._prepare())
    return daemon


def serve(daemon: TrivialRewrite, *pieces: bytes) -> bytes:
    stream: Any = FakeStream(*pieces)
    now(daemon.serve(stream))
    assert stream.out.startswith(GREETING)
    out: bytes = stream.out[len(GREETING) :]
    return out


def test_requests(settings_of: Make) -> None:
    daemon = make(settings_of(""))
    rewrite = RewriteRequest("local", "u").encode()
    resolve = ResolveRequest("", "u@x.test").encode()
    expected = (
        b"flags\x000\0address\0u@mail.ours.example\0\0"
        b"flags\x000\0transport\0smtp\0nexthop\0x.test\0recipient\0u@x.test\0flags\x004096\0\0"
    )
    assert serve(daemon, rewrite, resolve) == expected
    assert serve(daemon, rewrite + resolve) == expected, "several requests at once"
    both = rewrite + resolve
    assert serve(daemon, *(both[n : n + 1] for n in range(len(both)))) == expected, "byte by byte"


def test_answers_are_kept(settings_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = make(settings_of("transport_maps = inline:{x.test=t:}"))
    request = VerifyRequest("", "u@x.test").encode()
    first = serve(daemon, request)
    monkeypatch.setattr(daemon, "resolver", None)
    assert serve(daemon, request) == first


def test_failures_and_warnings_are_not_kept(settings_of: Make, logged: list[str]) -> None:
    daemon = make(settings_of("relay_domains = fail:x\nvirtual_alias_domains = local.example"))
    for address in ("u@x.test", "u@local.example"):
        request = ResolveRequest("", address).encode()
        serve(daemon, request)
        lines = list(logged)
        assert lines
        logged.clear()
        serve(daemon, request)
        assert logged == lines
        logged.clear()


def test_answers_of_tables_that_change_unseen_are_not_kept(settings_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = make(settings_of("transport_maps = environ:x"))
    assert not daemon._keeps
    assert make(settings_of("transport_maps = static:t:h"))._keeps is False, "the first table is open still"


@pytest.mark.parametrize(
    "request_bytes, line",
    [
        (b"request\0rewrite\0rule\0nowhere\0address\0u\0\0", "warning: unknown context: nowhere"),
        (b"request\0dance\0\0", "warning: bad command dance"),
    ],
)
def test_nonsense(settings_of: Make, logged: list[str], request_bytes: bytes, line: str) -> None:
    assert serve(make(settings_of("")), request_bytes) == b""
    assert logged == [line]


def test_incomplete_request(settings_of: Make, logged: list[str]) -> None:
    assert serve(make(settings_of("")), b"request\0rewrite\0address\0u\0\0") == b""
    assert len(logged) == 1


def test_changed_table(settings_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next reply has the flag, the connection ends, and nobody else is let in."""
    daemon = make(settings_of(""))
    told: list[str] = []
    daemon.status = SimpleNamespace(taken=lambda: told.append("taken"))  # type: ignore[assignment]  # a fake with what it needs
    monkeypatch.setattr(daemon, "retire", lambda: told.append("retire"))
    monkeypatch.setattr(module, "restart_if_changed", lambda: True)
    daemon.loop.now = 5.0
    request = RewriteRequest("local", "u").encode()
    assert serve(daemon, request, request) == RewriteReply(1, "u@mail.ours.example").encode()
    assert told == ["taken", "retire"]


@pytest.mark.parametrize(
    "main, old",
    [
        ("compatibility_level = 0", True), ("compatibility_level = 0\nappend_dot_mydomain = yes", False),
        ("compatibility_level = 1", False),
    ],
)  # fmt: skip
def test_old_default(settings_of: Make, main: str, old: bool) -> None:
    assert make(settings_of(main))._warn_of_default is old
