from __future__ import annotations

from typing import Any

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtpd.route import Routes
from pyfix.formats.dnsrecord import AddressRecord, MxRecord
from pyfix.rewriting.resolving.direct import DirectResolver
from pyfix.runtime.dns import Answer, Dns, Status
from pyfix.runtime.task import run_now

MAIN = {
    "myhostname": "mail.ours.example", "mydestination": "ours.example", "inet_interfaces": "loopback-only",
    "inet_protocols": "ipv4", "mynetworks": "127.0.0.1", "compatibility_level": "3.11", "alias_maps": "",
    "virtual_alias_maps": "inline:{{list@ours.example=user@far.example, two@ours.example}, loop@ours.example=loop+x@ours.example}",
    "recipient_delimiter": "+", "canonical_maps": "inline:{old@ours.example=user@gone.example}",
}  # fmt: skip


async def query(_self: Dns, name: str, kind: str, **_more: Any) -> Answer:
    if name == "far.example":
        hosts = ((20, "second.far.example"), (10, "first.far.example"))
        records = tuple(MxRecord("MX", name, name, 60, preference=preference, host=host) for preference, host in hosts)
        return Answer(Status.OK, name, records)
    return Answer(Status.NOT_FOUND, name, reason=f"no {kind} for {name}")


async def lookup(_self: Dns, name: str, _kinds: Any, **_more: Any) -> Answer:
    if name.startswith("first"):
        return Answer(Status.OK, name, (AddressRecord("A", name, name, 60, address="192.0.2.1"),))
    return Answer(Status.RETRY, name, reason=f"{name}: try again")


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch) -> Routes:
    monkeypatch.setattr(Dns, "query", query)
    monkeypatch.setattr(Dns, "lookup", lookup)
    snapshot = Snapshot(MAIN, process_name="cleanup")
    return Routes(snapshot, DirectResolver(Snapshot(MAIN, process_name="trivial-rewrite")))


def test_aliases_and_servers(routes: Routes) -> None:
    far, local = run_now(routes.of("a@b.example", "list@ours.example"))
    assert far == {
        "recipient": "list@ours.example", "becomes": "user@far.example", "transport": "smtp", "nexthop": "far.example",
        "servers": ["first.far.example[192.0.2.1]", "second.far.example: try again"],
    }  # fmt: skip
    assert (local["becomes"], local["transport"]) == ("two@ours.example", "local")


def test_canonical_and_no_such_domain(routes: Routes) -> None:
    (route,) = run_now(routes.of("", "old@ours.example"))
    assert (route["becomes"], route["servers"]) == ("user@gone.example", ["no MX for gone.example"])


def test_a_loop(routes: Routes) -> None:
    (route,) = run_now(routes.of("", "loop@ours.example"))
    assert "unreasonable virtual_alias_maps" in str(route["problem"])
