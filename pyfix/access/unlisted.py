"""Refuse addresses in our own domains that do not exist.

Source: LOCAL_RECIPIENT_README; postconf(5) reject_unlisted_recipient, smtpd_reject_unlisted_recipient,
smtpd_reject_unlisted_sender, show_user_unknown_table_name.
"""

from __future__ import annotations

from typing import Final

from pyfix.access.evaluate import Check
from pyfix.access.stage import RECIPIENT, SENDER, Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, Reject, Verdict
from pyfix.formats.status import split_status
from pyfix.protocols.internal.rewrite import CLASS_ALIAS, CLASS_LOCAL, CLASS_MASK, CLASS_RELAY, CLASS_VIRTUAL
from pyfix.tables.maps import Maps
from pyfix.tables.table import TableError

__all__ = ["check_recipient", "check_sender", "reject_unlisted_recipient", "reject_unlisted_sender"]

_DEFAULT_REASON: Final = "Address is undeliverable"


async def reject_unlisted_recipient(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a recipient that its address class does not have."""
    return await check_recipient(transaction)


async def reject_unlisted_sender(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a sender in a domain of ours that its address class does not have."""
    return await check_sender(transaction)


async def check_recipient(transaction: Transaction) -> Verdict:
    """Do the work of reject_unlisted_recipient, once for each recipient."""
    if transaction.recipient is None or transaction.recipient_checked:
        return DUNNO
    transaction.recipient_checked = True
    return await _unlisted(transaction, transaction.recipient, RECIPIENT, "5.1.1")


async def check_sender(transaction: Transaction) -> Verdict:
    """Do the work of reject_unlisted_sender."""
    if not transaction.sender or transaction.sender_checked:
        return DUNNO
    transaction.sender_checked = True
    return await _unlisted(transaction, transaction.sender, SENDER, "5.1.0")


async def _unlisted(transaction: Transaction, address: str, stage: Stage, status: str) -> Verdict:
    policy = transaction.policy
    settings = policy.settings
    reply = await transaction.resolve(address)
    resolved = reply.recipient
    if stage is RECIPIENT and reply.transport in (settings.error_service_name, "retry"):
        return _error_transport(transaction, address, stage, reply.transport, reply.nexthop)
    address_class = reply.resolve_flags & CLASS_MASK
    code: int
    maps: Maps | None
    if address_class == CLASS_LOCAL:
        maps, code, name = policy.local_recipients, settings.unknown_local_recipient_reject_code, "local recipient"
        if not maps:
            return DUNNO
    elif address_class == CLASS_VIRTUAL:
        maps, code, name = policy.virtual_mailboxes, settings.unknown_virtual_mailbox_reject_code, "virtual mailbox"
        if not maps:
            return DUNNO
    elif address_class == CLASS_RELAY:
        maps, code, name = policy.relay_recipients, settings.unknown_relay_recipient_reject_code, "relay recipient"
        if not maps:
            return DUNNO
    elif address_class == CLASS_ALIAS:
        maps, code, name = None, settings.unknown_virtual_alias_reject_code, "virtual alias"
    else:
        return DUNNO
    try:
        for known in (*policy.mappings, maps):
            if known and await _has(policy.recipient_delimiter, policy.is_local_domain, known, resolved):
                return DUNNO
    except TableError:
        raise transaction.lookup_failed(address) from None
    suffix = f" in {name} table" if settings.show_user_unknown_table_name else ""
    status = status if code >= 500 else f"4{status[1:]}"
    return Reject(code, status, f"<{address}>: {stage.label} rejected: User unknown{suffix}", "bounce")


async def _has(delimiter: str, is_local_domain: object, maps: Maps, address: str) -> bool:
    if maps.local:
        return maps.find_address_now(address, delimiter, is_local=is_local_domain) is not None  # type: ignore[arg-type]
    return await maps.find_address(address, delimiter, is_local=is_local_domain) is not None  # type: ignore[arg-type]


def _error_transport(transaction: Transaction, address: str, stage: Stage, transport: str, nexthop: str) -> Reject:
    """Return the refusal that the error or retry transport's next-hop text asks for."""
    later = transport == "retry"
    status, text = split_status(nexthop, "4.0.0" if later else "5.1.1")
    status = ("4" if later else "5") + status[1:]
    code = 450 if later else transaction.policy.settings.unknown_local_recipient_reject_code
    if later and not nexthop:
        status = "4.0.0"
    return Reject(code, status, f"<{address}>: {stage.label} rejected: {text or _DEFAULT_REASON}", "bounce")
