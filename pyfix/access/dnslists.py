"""Lists in the DNS of addresses and domains: those to refuse, and those to trust.

Source: postconf(5) reject_rbl_client, reject_rhsbl_client and its kin, permit_dnswl_client, permit_rhswl_client,
maps_rbl_reject_code, default_rbl_reply, rbl_reply_maps; RFC 5782.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from time import monotonic
from typing import TYPE_CHECKING, Final

from pyfix.access.evaluate import MISCONFIGURED, Check
from pyfix.access.relay import is_authorized
from pyfix.access.session_values import expanded
from pyfix.access.stage import CLIENT, HELO, RECIPIENT, REVERSE_CLIENT, SENDER, Stage
from pyfix.access.transaction import UNKNOWN, LookupFailed, Transaction
from pyfix.access.verdict import DUNNO, PERMIT, DeferIfReject, Reject, Verdict, refused
from pyfix.formats.dnsrecord import AddressRecord, TextRecord, records_of
from pyfix.formats.domain import is_hostaddr
from pyfix.formats.macros import MacroError
from pyfix.formats.octetpattern import OctetPattern, PatternError
from pyfix.formats.status import split_status
from pyfix.runtime.asciinames import ascii_name
from pyfix.runtime.dns import Dns, Status
from pyfix.runtime.log import log
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.access.policy import AccessPolicy

__all__ = ["DnsLists", "open_dns_list"]

_KEPT_FOR: Final = 60.0
"""Seconds; Postfix keeps what a list says for as long as its process lives."""
_MOST_KEPT: Final = 1000
_MOST_TEXT: Final = 500
_CODE: Final = re.compile(r"[45][0-9][0-9] ")
_UNAVAILABLE: Final = "Service unavailable"


class Listing:
    """What a list has about an address or a domain."""

    __slots__ = ("addresses", "reason", "unknown")

    def __init__(self, addresses: tuple[str, ...] = (), reason: str = "", *, unknown: bool = False) -> None:
        self.addresses = addresses
        """What it is listed as, in the way of the list: 127.0.0.2 and so on."""
        self.reason = reason
        self.unknown = unknown
        """The list gives no answer now."""


class DnsLists:
    """Asks DNS lists, and remembers for a minute what they say: restrictions are evaluated for each recipient."""

    def __init__(self, dns: Dns) -> None:
        self._dns = dns
        self._kept: dict[str, tuple[Listing, float]] = {}

    async def ask(self, query: str) -> Listing:
        """Return what the list has, nothing for what it does not have."""
        now = monotonic()
        entry = self._kept.get(query)
        if entry is not None and entry[1] > now:
            return entry[0]
        listing = await self._ask(query)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[query] = (listing, now + _KEPT_FOR)
        return listing

    async def _ask(self, query: str) -> Listing:
        answer = await self._dns.query(query, "A")
        if answer.absent:
            return Listing()
        if answer.status is not Status.OK:
            log.warning(f"{query}: RBL lookup error: {answer.reason}")
            return Listing(unknown=True)
        addresses = tuple(record.address for record in records_of(AddressRecord, answer.records))
        texts = await self._dns.query(query, "TXT")
        if texts.status is Status.POLICY:
            log.warning(f"{query}: TXT lookup error: {texts.reason}")
        reason = " / ".join(record.content for record in records_of(TextRecord, texts.records))
        return Listing(addresses, reason[:_MOST_TEXT])


class DnsList:
    """The argument of a restriction: a list, and which of its answers count."""

    __slots__ = ("domain", "pattern", "text")

    def __init__(self, text: str) -> None:
        self.text: Final = text
        self.domain, _, self.pattern = text.partition("=")

    async def find(self, lists: DnsLists, name: str) -> Listing | None:
        """Return what the list has about an address or domain in the form of a query; None for nothing that counts.

        Raises LookupFailed where it can't be said what counts.
        """
        listing = await lists.ask(f"{name}.{self.domain}")
        if listing.unknown:
            return listing
        if not listing.addresses:
            return None
        if self.pattern or "=" in self.text:
            try:
                wanted = OctetPattern(self.pattern)
            except PatternError as error:
                log.warning(f"RBL reply error: {error}")
                raise LookupFailed(MISCONFIGURED) from None
            if not any(wanted.matches(address) for address in listing.addresses):
                return None
        return listing


def open_dns_list(_policy: AccessPolicy, check: Check) -> None:
    """Keep the list that the argument names."""
    check.table = DnsList(check.argument) if check.argument else None


def _reversed(address: str) -> str:
    """Return an address as lists have it: octets or nibbles, the last first."""
    packed = ip_address(address).packed
    parts = [str(octet) for octet in packed] if len(packed) == 4 else list(packed.hex())
    return ".".join(reversed(parts))


def _domain_of(what: str) -> str | None:
    """Return the domain to ask a list of domains about; None for what is none."""
    domain = what.rpartition("@")[2]
    last = domain.rpartition(".")[2]
    if not domain or domain.startswith("[") or is_hostaddr(domain) or last.isdigit():
        return None
    return ascii_name(domain)


async def _listed(transaction: Transaction, check: Check, name: str | None) -> Listing | None:
    """Ask the list of a restriction."""
    if not isinstance(check.table, DnsList):
        log.warning(f"restriction {check.name} requires domain name argument")
        return None
    if name is None:
        return None
    return await check.table.find(transaction.policy.dns_lists, name)


async def _reject(transaction: Transaction, check: Check, name: str | None, what: str, stage: Stage) -> Verdict:
    """Refuse what is on the list.  A list that does not answer refuses nobody."""
    listing = await _listed(transaction, check, name)
    if listing is None or listing.unknown:
        return DUNNO
    assert isinstance(check.table, DnsList)
    return await _reply(transaction, check.table, listing, what, stage)


async def reject_rbl_client(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Refuse a client whose address is on the list."""
    address = transaction.client.address
    name = _reversed(address) if is_hostaddr(address) else None
    return await _reject(transaction, check, name, address, CLIENT)


async def _reject_domain(transaction: Transaction, check: Check, what: str | None, stage: Stage) -> Verdict:
    return await _reject(transaction, check, _domain_of(what) if what else None, what or "", stage)


def _known(name: str) -> str:
    return "" if name.lower() == UNKNOWN else name


async def reject_rhsbl_client(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Refuse a client whose verified name is on the list."""
    return await _reject_domain(transaction, check, _known(transaction.client.name), CLIENT)


async def reject_rhsbl_reverse_client(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Refuse a client whose unverified name is on the list."""
    return await _reject_domain(transaction, check, _known(transaction.client.reverse_name), REVERSE_CLIENT)


async def reject_rhsbl_helo(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Refuse a name of HELO that is on the list."""
    return await _reject_domain(transaction, check, transaction.helo_name, HELO)


async def reject_rhsbl_sender(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Refuse a sender whose domain is on the list."""
    return await _reject_domain(transaction, check, transaction.sender, SENDER)


async def reject_rhsbl_recipient(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Refuse a recipient whose domain is on the list."""
    return await _reject_domain(transaction, check, transaction.recipient, RECIPIENT)


async def permit_dnswl_client(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Permit a client whose address is on the list, for recipients that are ours."""
    address = transaction.client.address
    return await _permit(transaction, check, _reversed(address) if is_hostaddr(address) else None, address)


async def permit_rhswl_client(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Permit a client whose verified name is on the list, for recipients that are ours."""
    name = _known(transaction.client.name)
    return await _permit(transaction, check, _domain_of(name) if name else None, name)


async def _permit(transaction: Transaction, check: Check, name: str | None, what: str) -> Verdict:
    """Permit what is on the list.  While the list does not answer, what is refused later is only deferred."""
    recipient = transaction.recipient
    if recipient is None or not is_authorized(transaction, await transaction.resolve(recipient)):
        return DUNNO
    listing = await _listed(transaction, check, name)
    if listing is None:
        return DUNNO
    if not listing.unknown:
        return PERMIT
    return DeferIfReject(Reject(450, "4.7.1", f"<{what}>: {CLIENT.label} rejected: {_UNAVAILABLE}"))


async def _reply(transaction: Transaction, dns_list: DnsList, listing: Listing, what: str, stage: Stage) -> Verdict:
    """Return the refusal, in the words of rbl_reply_maps or default_rbl_reply."""
    policy = transaction.policy
    values = {
        "rbl_code": str(policy.settings.maps_rbl_reject_code),
        "rbl_domain": dns_list.domain,
        "rbl_reason": listing.reason,
        "rbl_txt": listing.reason,
        "rbl_what": what,
        "rbl_class": stage.label,
    }
    template = policy.settings.default_rbl_reply
    chosen: str | None = None
    try:
        for key in dict.fromkeys((dns_list.text, dns_list.domain)):
            if policy.rbl_replies and chosen is None:
                chosen = await policy.rbl_replies.find(key)
    except TableError:
        return MISCONFIGURED
    try:
        text = expanded(transaction, template if chosen is None else chosen, values.get, strict=True)
    except MacroError as error:
        if chosen is None:
            log.warning(f"default_rbl_reply: bad default rbl reply template: {template}")
            return MISCONFIGURED
        if str(error):
            log.warning(str(error))
        log.warning(f"rbl_reject_reply: bad rbl reply template for domain {dns_list.text}: {chosen}")
        text = expanded(transaction, template, values.get)
    if _CODE.match(text) is None:
        log.warning(f"rbl response code configuration error: {text}")
        return Reject(450, "4.7.1", _UNAVAILABLE)
    status, reason = split_status(text[4:], "4.7.1")
    return refused(int(text[:3]), status, reason or _UNAVAILABLE)
