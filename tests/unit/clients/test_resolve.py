from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyfix.clients.resolve import AT_ONCE, Resolver, StandardResolver, rewrite_service
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


def test_several_are_asked_about_side_by_side(tmp_path: Path) -> None:
    addresses = [f"a{number}@b" for number in range(AT_ONCE + 3)]

    async def ask() -> list[Any]:
        resolver = Resolver(rewrite_service("rewrite", **TIMES))
        await resolver.learn("s", [*addresses, *addresses])
        return [resolver.remembered("s", address) for address in addresses]

    with serving(tmp_path, "private/rewrite", trivial_rewrite(), side_by_side=True) as connections:
        found = run(ask())
    assert [reply.recipient for reply in found] == addresses
    assert len(connections) == AT_ONCE


def test_what_cannot_be_learnt_is_left_to_resolve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    resolver = Resolver(rewrite_service("rewrite", **TIMES))
    run(resolver.learn("s", ["a@b", "c@d"]))
    assert resolver.remembered("s", "a@b") is None


def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pyfix.clients.resolve._PAUSE", 0.01)
    resolver = Resolver(rewrite_service("rewrite", **TIMES))
    with pytest.raises(ServiceError, match="No such file"):
        run(resolver.resolve("s", "a@b"))


def test_standard_form(tmp_path: Path) -> None:
    """What a client of smtpd(8) leaves out is added before the question; what is whole is asked as it is."""

    async def ask() -> list[str]:
        resolver = StandardResolver(rewrite_service("rewrite", **TIMES))
        return [(await resolver.resolve("s", address)).recipient for address in ("user", "a@b.example")]

    with serving(tmp_path, "private/rewrite", trivial_rewrite()):
        assert run(ask()) == ["user@local", "a@b.example"]
