"""Addresses of all that is unusual, made by hypothesis: rewriting and resolving are the reference's.

An address of blanks only is not asked to be rewritten: the reference's process ends with "panic: rewrite_tree: empty tree".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .questions import CONFIGURATIONS, FILES
from .service import RewriteService
from .test_rules import Ours

pytestmark = [pytest.mark.reference, pytest.mark.root]

_PIECES = (
    "a", "b", "user", "old", "local.example", "x.y", "localhost", "@", "@", "@", "!", "%", ".", ".", ":", ";", ",", "<", ">", "(",
    ")", "[", "]", "[127.0.0.1]", "[1.2.3.4]", "[IPv6:::1]", "\\", '"', " ", "\t", "-", "\u00e9", "b\u00fccher", "\x01", "\x7f",
    "\r", "\n", "1", "127.0.0.1", "+", "=", "'", "|", "/", "mail.ours.example", "ours.example", "alias.example", "(c)", '"q"',
    '"a b"', '"a@b"', '"a%b"', '"a!b"', "..", "@[", '""', "\\@", "\\!", "elsewhere.example", "hop.example",
)  # fmt: skip
ADDRESSES = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=8).map("".join)
CONTEXTS = st.sampled_from(("local", "remote"))
_NAMES = ("plain", "no percent", "no bang", "null domain", "no dequoting", "append dot", "empty recipient elsewhere",
          "numeric domain", "no origin", "transport", "relocated")  # fmt: skip


@pytest.fixture(scope="module")
def pairs() -> Iterator[dict[str, tuple[RewriteService, Ours]]]:
    with ExitStack() as stack:
        services = {name: stack.enter_context(RewriteService("reference", CONFIGURATIONS[name] + "\n", FILES)) for name in _NAMES}
        yield {name: (service, Ours(service)) for name, service in services.items()}


@settings(max_examples=1500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(_NAMES), context=CONTEXTS, address=ADDRESSES)
def test_addresses(pairs: dict[str, tuple[RewriteService, Ours]], name: str, context: str, address: str) -> None:
    service, ours = pairs[name]
    assert ours.ask("resolve", "", address) == service.client.resolve("resolve", "", address)
    if address.strip():
        assert ours.ask("rewrite", context, address) == service.client.rewrite(context, address)


@pytest.mark.parametrize("address", ["!\\", "!\\@local.example", "@r:@", "@[[IPv6:::1]@x.y", "a.@b.c", "a.b.@b.c"])
def test_what_was_found_once(pairs: dict[str, tuple[RewriteService, Ours]], address: str) -> None:
    for service, ours in pairs.values():
        assert ours.ask("resolve", "", address) == service.client.resolve("resolve", "", address)
        assert ours.ask("rewrite", "local", address) == service.client.rewrite("local", address)
