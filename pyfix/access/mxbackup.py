"""permit_mx_backup: take mail for domains that name us as one of their mail exchangers.

Source: postconf(5) permit_mx_backup, permit_mx_backup_networks.
"""

from __future__ import annotations

from typing import Final

from pyfix.access.evaluate import Check
from pyfix.access.stage import RECIPIENT, Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, PERMIT, DeferIfReject, Reject, Verdict
from pyfix.formats.dnsrecord import MxRecord, records_of
from pyfix.formats.domain import domain_to_ascii
from pyfix.protocols.internal.rewrite import CLASS_ALIAS, CLASS_LOCAL, CLASS_RELAY, CLASS_VIRTUAL, ROUTED
from pyfix.runtime.dns import Status
from pyfix.runtime.hostnames import HostLookupError, addresses_of
from pyfix.tables.matchlist import MatchList
from pyfix.tables.table import TableError

_FINAL: Final = CLASS_LOCAL | CLASS_ALIAS | CLASS_VIRTUAL
_DEPRECATED: Final = (
    'support for restriction "permit_mx_backup" will be removed from Postfix; instead, specify "relay_domains"'
)


async def permit_mx_backup(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Permit a recipient whose domain is ours, or has us among its mail exchangers.

    Where the DNS has no answer now, what is refused later is only deferred.
    """
    recipient = transaction.recipient
    if recipient is None:
        return DUNNO
    transaction.policy.tell_once(_DEPRECATED)
    reply = await transaction.resolve(recipient)
    _, at, domain = reply.recipient.rpartition("@")
    if not at:
        return PERMIT
    if reply.resolve_flags & ROUTED:
        return DUNNO
    if reply.resolve_flags & (_FINAL | CLASS_RELAY):
        if reply.resolve_flags & CLASS_RELAY:
            transaction.policy.old.tell_relay("accept mail for domain", domain)
        return PERMIT
    if domain.startswith("["):
        return DUNNO
    exchangers = _Exchangers(transaction, recipient)
    if await exchangers.are_ours(domain_to_ascii(domain) or domain):
        return PERMIT
    return DUNNO if exchangers.unknown is None else DeferIfReject(exchangers.unknown)


class _Exchangers:
    """Looks for ourselves among the mail exchangers of a domain."""

    def __init__(self, transaction: Transaction, recipient: str) -> None:
        self._policy = transaction.policy
        self._recipient = recipient
        self.unknown: Reject | None = None
        """What could not be found out first, for a refusal that may be wrong."""

    def _not_now(self, problem: str) -> bool:
        if self.unknown is None:
            text = f"<{self._recipient}>: {RECIPIENT.label} rejected: {problem}"
            self.unknown = Reject(450, "4.4.4", text)
        return False

    async def are_ours(self, domain: str) -> bool:
        """Say whether we are one of them, and the primary ones are in permit_mx_backup_networks."""
        answer = await self._policy.dns.query(domain, "MX")
        if answer.absent or answer.status is Status.NULL_MX:
            return False
        if answer.status is not Status.OK:
            return self._not_now(f"Unable to look up mail exchanger information: {answer.error}")
        exchangers = records_of(MxRecord, answer.records)
        if not await self._have_us([record.host for record in exchangers]):
            return False
        networks = self._policy.settings.permit_mx_backup_networks
        if not networks:
            return True
        best = min(record.preference for record in exchangers)
        permitted = MatchList("permit_mx_backup_networks", networks, self._policy.snapshot)
        for record in exchangers:
            if record.preference == best and not await self._is_in(record.host, permitted):
                return False
        return True

    async def _have_us(self, hosts: list[str]) -> bool:
        for host in hosts:
            if await self._is_local(host) or await self._is_us(host):
                return True
        return False

    async def _is_local(self, host: str) -> bool:
        try:
            return await self._policy.ask_local_domain(host)
        except TableError:
            return False

    async def _is_us(self, host: str) -> bool:
        """Say whether a host has an address of ours."""
        try:
            addresses = await addresses_of(host, self._policy.family)
        except HostLookupError as error:
            return self._not_now(f"Unable to look up mail exchanger host {host}: {error}")
        return any(address in self._policy.own_addresses for address in addresses)

    async def _is_in(self, host: str, networks: MatchList) -> bool:
        try:
            addresses = await addresses_of(host, self._policy.family)
        except HostLookupError as error:
            return self._not_now(f"Unable to look up host {host} as mail exchanger: {error}")
        try:
            for address in addresses:
                if not await networks.ask_client(host, address):
                    return False
        except TableError:
            return self._not_now(f"Unable to verify host {host} as mail exchanger")
        return True
