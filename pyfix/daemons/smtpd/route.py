"""Where mail for a recipient would go: rewriting, transport, and the servers that would be tried.

Source: ADDRESS_REWRITING_README; trivial-rewrite(8); RFC 5321 section 5.1.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.config.snapshot import Snapshot
from pyfix.formats.dnsrecord import AddressRecord, MxRecord, records_of
from pyfix.formats.domain import is_hostaddr
from pyfix.protocols.internal.rewrite import ResolveReply
from pyfix.rewriting.canonical import Canonical
from pyfix.rewriting.domains import OwnDomains
from pyfix.rewriting.lookup import AddressLookup, MappingError
from pyfix.rewriting.masquerade import Masquerade
from pyfix.rewriting.resolving.direct import DirectResolver
from pyfix.rewriting.standard import LOCAL, StandardForm
from pyfix.rewriting.virtual_alias import VirtualAliases
from pyfix.runtime.dns import Dns, Status
from pyfix.tables.srs import open_rewritten_senders
from pyfix.tables.table import TableError

__all__ = ["Routes"]

_SMTP: Final = frozenset(("smtp", "relay"))
_MOST_SERVERS: Final = 5
"""As many addresses as postconf(5) smtp_mx_address_limit lets be tried by default."""


class Routes:
    """The ways out of one mail system."""

    def __init__(self, snapshot: Snapshot, resolver: DirectResolver) -> None:
        """*snapshot*: the values of cleanup(8).  Raises ConfigError."""
        settings = CleanupSettings(snapshot)
        self._resolver: Final = resolver
        self._standard: Final = StandardForm(self._rewrite)
        own = OwnDomains(settings)
        lookup = AddressLookup(settings.recipient_delimiter, own, self._standard)
        self._canonical: Final = Canonical(settings, lookup)
        self._masquerade: Final = Masquerade(settings)
        self._aliases: Final = VirtualAliases(settings, lookup)
        self._rewritten_senders: Final = open_rewritten_senders(settings)
        self._dns: Final = Dns()

    async def _rewrite(self, context: str, address: str) -> str:
        return self._resolver.rewriter.rewrite(context, address)

    async def of(self, sender: str, recipient: str) -> list[dict[str, object]]:
        """Return a route for each address that the recipient becomes."""
        try:
            address = await self._standard.internal(LOCAL, recipient)
            address = await self._canonical.map(address, "envelope_recipient", _ignore)
            address = await self._masquerade.masquerade(address, "envelope_recipient")
            if self._rewritten_senders is not None:
                address = self._rewritten_senders.unpack_all(address, _ignore)
            addresses = await self._aliases.expand(address) if self._aliases else [address]
        except (MappingError, TableError) as error:
            return [{"recipient": recipient, "problem": str(error)}]
        return [await self._of_one(sender, recipient, final) for final in addresses]

    async def _of_one(self, sender: str, recipient: str, final: str) -> dict[str, object]:
        reply = await self._resolver.resolve(sender, final)
        route: dict[str, object] = {"recipient": recipient, "becomes": reply.recipient}
        route |= {"transport": reply.transport, "nexthop": reply.nexthop}
        if reply.transport in _SMTP:
            route["servers"] = await self._servers(reply)
        return route

    async def _servers(self, reply: ResolveReply) -> list[str]:
        """Return the first servers that smtp(8) would try, with their addresses, or why there are none."""
        host = reply.nexthop.replace(",", " ").split()[0] if reply.nexthop else ""
        bracketed = host.startswith("[")
        name = host.lstrip("[").partition("]")[0] if bracketed else host.partition(":")[0]
        if is_hostaddr(name):
            return [f"{name}[{name}]"]
        hosts = [name]
        if not bracketed:
            answer = await self._dns.query(name, "MX")
            if answer.status is Status.OK:
                records = sorted(records_of(MxRecord, answer.records), key=lambda record: record.preference)
                hosts = [record.host for record in records]
            elif answer.status is not Status.NO_DATA:
                return [answer.reason]
        found = []
        for one in hosts:
            addresses = await self._dns.lookup(one, ("A", "AAAA"))
            if addresses.status is Status.OK:
                found += [f"{one}[{record.address}]" for record in records_of(AddressRecord, addresses.records)]
            else:
                found.append(addresses.reason)
            if len(found) >= _MOST_SERVERS:
                break
        return found[:_MOST_SERVERS]


def _ignore(_text: str) -> None:
    pass
