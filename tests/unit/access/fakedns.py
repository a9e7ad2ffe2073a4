"""A DNS that answers at once, for transactions without an event loop."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pyfix.access.dnslists import DnsLists
from pyfix.access.transaction import Transaction
from pyfix.formats.dnsrecord import AddressRecord, HostRecord, MxRecord, Record, TextRecord
from pyfix.runtime.dns import Answer, Dns, Status
from pyfix.runtime.hostnames import HostLookupError


class FakeDns(Dns):
    """Knows what it is given: ``{"a.example/MX": "10 m.example"}``, or a Status in the place of records."""

    def __init__(self, known: Mapping[str, str | Status]) -> None:
        super().__init__()
        self._known = known
        self.asked: list[str] = []

    async def query(self, name: str, kind: str, *, dnssec: bool = False) -> Answer:
        self.asked.append(f"{name}/{kind}")
        found = self._known.get(f"{name}/{kind}", Status.NOT_FOUND)
        if isinstance(found, Status):
            return Answer(found, name, reason=f"no {name}", error=found.value)
        return Answer(Status.OK, name, tuple(_record(name, kind, text) for text in found.split("; ")))


def _record(name: str, kind: str, text: str) -> Record:
    head = (kind, name, name, 60)
    if kind == "MX":
        preference, host = text.split()
        return MxRecord(*head, int(preference), host)
    if kind == "TXT":
        return TextRecord(*head, text)
    return HostRecord(*head, text) if kind == "NS" else AddressRecord(*head, text)


def give_dns(found: Transaction, known: Mapping[str, str | Status]) -> FakeDns:
    """Let a transaction ask a DNS that knows so much."""
    dns = FakeDns(known)
    found.policy.dns = dns
    found.policy.dns_lists = DnsLists(dns)
    return dns


def give_hosts(monkeypatch: Any, module: Any, hosts: Mapping[str, Sequence[str]]) -> None:
    """Let *module* look up addresses of hosts in *hosts*."""

    async def addresses_of(name: str, _family: int = 0) -> Collection[str]:
        if name not in hosts:
            raise HostLookupError("Name or service not known", temporary=False)
        return hosts[name]

    monkeypatch.setattr(module, "addresses_of", addresses_of)
