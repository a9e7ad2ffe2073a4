"""Refuse names that the DNS does not know: of the client, in HELO, and in addresses.

Source: postconf(5) reject_unknown_client_hostname, reject_unknown_reverse_client_hostname,
reject_unknown_helo_hostname, reject_unknown_sender_domain, reject_unknown_recipient_domain; RFC 7372 (4.7.25); RFC 7505
(null MX).
"""

from __future__ import annotations

from typing import Final

from pyfix.access.evaluate import Check
from pyfix.access.helo import bad_literal
from pyfix.access.stage import RECIPIENT, SENDER, Stage
from pyfix.access.transaction import NAME_PERMANENT, UNKNOWN, Transaction
from pyfix.access.verdict import DUNNO, Verdict, refused
from pyfix.formats.domain import domain_to_ascii, valid_mailhost_literal
from pyfix.protocols.internal.rewrite import CLASS_ALIAS, CLASS_LOCAL, CLASS_VIRTUAL
from pyfix.runtime.dns import Status
from pyfix.runtime.log import log

_FINAL: Final = CLASS_LOCAL | CLASS_ALIAS | CLASS_VIRTUAL
_NO_MX: Final = frozenset({Status.OK, Status.INVALID, Status.NULL_MX, Status.POLICY})
"""Answers about mail exchangers that leave no question about addresses."""
_DROPPED: Final = "DNS reply filter drops all results"
_TEMPORARY_CODE: Final = 450


def reject_unknown_client_hostname(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a client whose address has no name that leads back to it, with unknown_client_reject_code."""
    client = transaction.client
    if client.name.lower() != UNKNOWN:
        return DUNNO
    code = _client_code(transaction, client.name_status)
    return refused(code, "4.7.25", f"Client host rejected: cannot find your hostname, [{client.address}]")


def reject_unknown_reverse_client_hostname(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a client whose address has no name at all, with unknown_client_reject_code."""
    client = transaction.client
    if client.reverse_name.lower() != UNKNOWN:
        return DUNNO
    code = _client_code(transaction, client.reverse_status)
    return refused(code, "4.7.1", f"Client host rejected: cannot find your reverse hostname, [{client.address}]")


def _client_code(transaction: Transaction, status: int) -> int:
    return transaction.policy.settings.unknown_client_reject_code if status >= NAME_PERMANENT else _TEMPORARY_CODE


async def reject_unknown_helo_hostname(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a name of HELO that has neither address nor mail exchanger, with unknown_hostname_reject_code."""
    name = transaction.helo_name
    if name is None:
        return DUNNO
    if name.startswith("["):
        return DUNNO if valid_mailhost_literal(name) else bad_literal(transaction, name, "Helo command")
    policy = transaction.policy
    answer = await policy.dns.lookup(domain_to_ascii(name) or name, ("A", "AAAA", "MX"), stop_at=(Status.OK,))
    if answer.status in (Status.OK, Status.NULL_MX):
        return DUNNO
    if answer.status is Status.POLICY:
        log.warning(f"{name}: address or MX lookup error: {_DROPPED}")
        return DUNNO
    text = f"<{name}>: Helo command rejected: Host not found"
    if answer.status is Status.RETRY:
        return policy.tempfail.unknown_helo_hostname(refused(_TEMPORARY_CODE, "4.7.1", text))
    return refused(policy.settings.unknown_hostname_reject_code, "4.7.1", text)


async def reject_unknown_sender_domain(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a sender in a domain that has neither mail exchanger nor address, with unknown_address_reject_code."""
    sender = transaction.sender
    return await _unknown_address(transaction, sender, SENDER) if sender else DUNNO


async def reject_unknown_recipient_domain(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a recipient in a domain that has neither mail exchanger nor address, with unknown_address_reject_code."""
    recipient = transaction.recipient
    return DUNNO if recipient is None else await _unknown_address(transaction, recipient, RECIPIENT)


async def _unknown_address(transaction: Transaction, address: str, stage: Stage) -> Verdict:
    reply = await transaction.resolve(address)
    _, at, domain = reply.recipient.rpartition("@")
    if not at or reply.resolve_flags & _FINAL or (domain[:1] == "[" and domain[-1:] == "]"):
        return DUNNO
    policy = transaction.policy
    domain = domain_to_ascii(domain) or domain
    answer = await policy.dns.lookup(domain, ("MX", "A", "AAAA"), stop_at=_NO_MX)
    sending = stage is SENDER
    begin = f"<{address}>: {stage.label} rejected:"
    if answer.status is Status.OK:
        return DUNNO
    if answer.status is Status.POLICY:
        log.warning(f"{domain}: MX or address lookup error: {_DROPPED}")
        return DUNNO
    if answer.status is Status.NULL_MX:
        text = f"{begin} Domain {domain} does not accept mail (nullMX)"
        return refused(550 if sending else 556, "4.7.27" if sending else "4.1.10", text)
    status = "4.1.8" if sending else "4.1.2"
    if answer.status is Status.RETRY:
        return policy.tempfail.unknown_address(refused(_TEMPORARY_CODE, status, f"{begin} Domain not found"))
    reason = "Malformed DNS server reply" if answer.status is Status.INVALID else "Domain not found"
    return refused(policy.settings.unknown_address_reject_code, status, f"{begin} {reason}")
