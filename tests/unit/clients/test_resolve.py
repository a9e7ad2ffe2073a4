from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyfix.clients.resolve import Resolver, rewrite_service
from pyfix.clients.rewrite import Rewriter
from pyfix.runtime.ipc import ServiceError
from tests.unit.clients.rewriting import TIMES, trivial_rewrite
from tests.unit.clients.server import run, serving


def test_resolve(tmp_path: Path) -> None:
    async def ask() -> list[Any]:
        resolver = Resolver(rewrite_service("rewrite", **TIMES))
        assert resolver.remembered("s", "a@b") is None
        first = await resolver.resolve("s", "a@b")
        assert resolver.remembered("s", "a@b") is first
        assert resolver.remembered("t", "a@b") is None
        assert await resolver.resolve("s", "a@b") is first
        return [first, await resolver.resolve_probe("s", "c@d")]

    with serving(tmp_path, "private/rewrite", trivial_rewrite()):
        plain, probe = run(ask())
    assert (plain.transport, plain.recipient, plain.resolve_flags) == ("resolve", "a@b", 256)
    assert (probe.transport, probe.recipient) == ("verify", "c@d")


def test_changed_tables_are_forgotten(tmp_path: Path) -> None:
    async def ask() -> None:
        service = rewrite_service("rewrite", **TIMES)
        resolver, rewriter = Resolver(service), Rewriter(service)
        await resolver.resolve("s", "a@b")
        assert resolver.remembered("s", "a@b") is None
        assert await rewriter.rewrite("x", "local") == "x@local"
        assert not rewriter._known

    with serving(tmp_path, "private/rewrite", trivial_rewrite("1")) as connections:
        run(ask())
    assert len(connections) == 2


def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pyfix.clients.resolve._PAUSE", 0.01)
    resolver = Resolver(rewrite_service("rewrite", **TIMES))
    with pytest.raises(ServiceError, match="No such file"):
        run(resolver.resolve("s", "a@b"))
