"""Access tables with the servers of a domain: its mail exchangers, its name servers, its addresses.

They can refuse, but never permit: what the DNS says of a domain, its owner says.
Source: postconf(5) check_client_a_access, check_client_mx_access, check_client_ns_access and those for the reverse
client name, HELO, sender and recipient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyfix.access.evaluate import Check, CheckFunction
from pyfix.access.stage import CLIENT, HELO, RECIPIENT, REVERSE_CLIENT, SENDER, Stage
from pyfix.access.tables import address_keys, domain_keys, look_up, open_access_table
from pyfix.access.transaction import UNKNOWN, Transaction
from pyfix.access.verdict import DUNNO, Verdict
from pyfix.formats.dnsrecord import HostRecord, MxRecord
from pyfix.formats.domain import is_hostaddr, mailhost_address
from pyfix.runtime.asciinames import ascii_name
from pyfix.runtime.dns import Answer, Status
from pyfix.runtime.hostnames import HostLookupError, addresses_of
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.access.policy import AccessPolicy

__all__ = ["RESTRICTIONS", "open_server_table"]


@dataclass(frozen=True, slots=True)
class _Subject:
    """Whose servers are looked up."""

    stage: Stage
    name: Callable[[Transaction], str | None]
    """The name or address; empty or None when there is none to ask about."""
    shown: Callable[[Transaction], str]
    """What replies call it."""

    def target(self, transaction: Transaction) -> str:
        """Return what the log calls it where a table would permit it."""
        return self.name(transaction) or ""


def _name_unless_unknown(name: str) -> str:
    return "" if name.lower() == UNKNOWN else name


_SUBJECTS: Final = {
    "client": _Subject(
        CLIENT,
        lambda transaction: _name_unless_unknown(transaction.client.name),
        lambda transaction: transaction.client.log_name,
    ),
    "reverse_client_hostname": _Subject(
        REVERSE_CLIENT,
        lambda transaction: _name_unless_unknown(transaction.client.reverse_name),
        lambda transaction: transaction.client.reverse_name,
    ),
    "helo": _Subject(HELO, lambda transaction: transaction.helo_name, lambda transaction: transaction.helo_name or ""),
    "sender": _Subject(SENDER, lambda transaction: transaction.sender, lambda transaction: transaction.sender or ""),
    "recipient": _Subject(
        RECIPIENT, lambda transaction: transaction.recipient, lambda transaction: transaction.recipient or ""
    ),
}
_KINDS: Final = {"a": "A", "mx": "MX", "ns": "NS"}


def open_server_table(policy: AccessPolicy, check: Check) -> None:
    """Open the table that the argument names."""
    open_access_table(policy, check)
    subject = check.name.removeprefix("check_").removesuffix("_access").rpartition("_")[0]
    check.never_permits = _SUBJECTS[subject].target


def _restriction(name: str, subject: _Subject, kind: str) -> CheckFunction:
    async def check(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
        about = subject.name(transaction)
        if not about:
            return DUNNO
        return await _Search(transaction, subject, check).servers(about, kind)

    check.__name__ = name
    return check


RESTRICTIONS: Final[dict[str, CheckFunction]] = {
    (name := f"check_{about}_{word}_access"): _restriction(name, subject, kind)
    for about, subject in _SUBJECTS.items()
    for word, kind in _KINDS.items()
}
"""All fifteen, by name."""


class _Search:
    """Looks for servers in one table."""

    def __init__(self, transaction: Transaction, subject: _Subject, check: Check) -> None:
        self._transaction = transaction
        self._stage = subject.stage
        self._check = check
        self._shown = subject.shown(transaction)

    async def servers(self, name: str, kind: str) -> Verdict:
        """Ask the table for the servers of type *kind* of a name or of an address's domain."""
        domain = name.rpartition("@")[2]
        if domain.startswith("["):
            if kind == "NS":
                return DUNNO
            inside = domain[1:].partition("]")[0]
            address = mailhost_address(inside)
            return DUNNO if address is None else await self._address(address) or DUNNO
        for server in await self._found(name, ascii_name(domain) or domain, kind):
            verdict = await self._server(server, kind)
            if verdict is not None:
                return verdict
        return DUNNO

    async def _found(self, name: str, domain: str, kind: str) -> list[str]:
        """Return the names of the servers; of what can't be found out, the log is told."""
        if kind == "A":
            return [domain]
        dns = self._transaction.policy.dns
        answer = await dns.query(domain, kind)
        if kind == "MX" and answer.absent:
            return [domain]
        while kind == "NS" and answer.absent and "." in domain.rstrip("."):
            domain = domain.partition(".")[2]
            answer = await dns.query(domain, kind)
        if answer.status is Status.NULL_MX:
            return []
        if answer.status is not Status.OK:
            about = name if answer.absent else domain
            log.warning(f"Unable to look up {kind} host for {about}: {answer.error}")
            return []
        return _hosts(answer)

    async def _server(self, server: str, kind: str) -> Verdict | None:
        """Ask for a server by its name and its addresses."""
        if is_hostaddr(server):
            if (verdict := await self._address(server)) is not None:
                return verdict
        elif kind != "A":
            keys = domain_keys(server, self._transaction.policy.parent_style)
            verdict = await look_up(self._transaction, self._stage, self._check, keys, self._shown)
            if verdict is not None:
                return verdict
        try:
            addresses = await addresses_of(server, self._transaction.policy.family)
        except HostLookupError as error:
            if kind != "A":
                log.warning(f"Unable to look up {kind} host {server} for {self._stage.label} {self._shown}: {error}")
            return None
        for address in addresses:
            if (verdict := await self._address(address)) is not None:
                return verdict
        return None

    async def _address(self, address: str) -> Verdict | None:
        return await look_up(self._transaction, self._stage, self._check, address_keys(address), self._shown)


def _hosts(answer: Answer) -> list[str]:
    return [record.host for record in answer.records if isinstance(record, (MxRecord, HostRecord))]
