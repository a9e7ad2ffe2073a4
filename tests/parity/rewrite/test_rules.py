"""The same questions to Postfix's trivial-rewrite and to our rules, under many configurations."""

from __future__ import annotations

import time
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.config.snapshot import Snapshot
from pyfix.rewriting.resolving.address_class import AddressClasses
from pyfix.rewriting.resolving.local_domain import LocalDomains
from pyfix.rewriting.resolving.resolve import Resolver
from pyfix.rewriting.resolving.rewrite import Rewriter
from pyfix.runtime.log import log
from pyfix.tables import source

from .questions import CONFIGURATIONS, FILES, questions
from .service import Reply, RewriteService

pytestmark = [pytest.mark.reference, pytest.mark.root]


def now(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


class Ours:
    """Our rules, with the configuration of a running service."""

    def __init__(self, service: RewriteService) -> None:
        source.forget_tables()
        settings = RewriteSettings(Snapshot.read(str(service.directory), process_name="trivial-rewrite"))
        self.rewriter = Rewriter(settings, warn_of_default="compatibility_level = 0" in service.main)
        self.resolver = Resolver(
            settings, self.rewriter, LocalDomains(settings), AddressClasses(settings), time.monotonic
        )
        now(self.resolver.prepare())

    def ask(self, request: str, second: str, address: str) -> Reply:
        if request == "rewrite":
            return ("0", self.rewriter.rewrite(second, address))
        reply = now(self.resolver.resolve(second, address, verify=request == "verify"))
        return ("0", reply.transport, reply.nexthop, reply.recipient, str(reply.resolve_flags))


@pytest.fixture
def our_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    lines: list[str] = []
    monkeypatch.setattr(
        log, "_log", lambda severity, text: lines.append(text if severity == "info" else f"{severity}: {text}")
    )
    yield lines


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_answers_and_warnings_are_postfixs(name: str, our_log: list[str]) -> None:
    """Each reply and each log line is the same.  Source: trivial-rewrite(8)."""
    with RewriteService("reference", CONFIGURATIONS[name] + "\n", FILES) as service:
        ours = Ours(service)
        service.log()
        our_log.clear()
        different = []
        for request, second, address in questions(name):
            asked = service.client.rewrite if request == "rewrite" else None
            theirs = asked(second, address) if asked else service.client.resolve(request, second, address)
            mine = ours.ask(request, second, address)
            if mine != theirs:
                different.append(f"{request} {second!r} {address!r}\n  Postfix {theirs}\n  pyfix   {mine}")
        assert not different, "\n".join(different)
        assert [line.replace(str(service.directory), "{dir}") for line in our_log] == service.log()
