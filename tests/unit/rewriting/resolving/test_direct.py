from __future__ import annotations

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.rewriting.resolving.direct import DirectResolver
from pyfix.runtime.task import run_now

MAIN = {
    "myhostname": "mail.ours.example", "mydestination": "ours.example", "inet_interfaces": "loopback-only",
    "inet_protocols": "ipv4", "relay_domains": "relay.example", "mynetworks": "127.0.0.1", "compatibility_level": "3.11",
}  # fmt: skip


@pytest.mark.parametrize("remembers", [False, True])
def test_answers_are_those_of_trivial_rewrite(remembers: bool) -> None:
    resolver = DirectResolver(Snapshot(MAIN, process_name="trivial-rewrite"), remembers=remembers)
    assert resolver.remembered("", "user@relay.example") is None
    relay = run_now(resolver.resolve("", "user@relay.example"))
    assert (relay.transport, relay.nexthop, relay.recipient) == ("relay", "relay.example", "user@relay.example")
    local = run_now(resolver.resolve("", "user@ours.example"))
    assert (local.transport, local.nexthop) == ("local", "mail.ours.example")
    assert (resolver.remembered("", "user@relay.example") is relay) is remembers
    assert run_now(resolver.resolve("", "user@relay.example")) == relay
