"""Refuse addresses in our own domains that do not exist.

Source: LOCAL_RECIPIENT_README; postconf(5) reject_unlisted_recipient, smtpd_reject_unlisted_recipient,
smtpd_reject_unlisted_sender, show_user_unknown_table_name, receive_override_options.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyfix.access.evaluate import Check
from pyfix.access.stage import RECIPIENT, SENDER, Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, Reject, Verdict
from pyfix.formats.srs import BadRewrittenAddress
from pyfix.formats.status import split_status
from pyfix.protocols.internal.rewrite import (
    CLASS_ALIAS,
    CLASS_LOCAL,
    CLASS_MASK,
    CLASS_RELAY,
    CLASS_VIRTUAL,
    ResolveReply,
)
from pyfix.tables.maps import Maps
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.access.policy import AccessPolicy
    from pyfix.config.parameters.smtpd import SmtpdSettings

__all__ = ["check_recipient", "check_sender", "reject_unlisted_recipient", "reject_unlisted_sender"]

_ALWAYS_THERE: Final = ("postmaster", "mailer-daemon")
_DEFAULT_REASON: Final = "Address is undeliverable"


async def reject_unlisted_recipient(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a recipient that its address class does not have."""
    return await check_recipient(transaction)


async def reject_unlisted_sender(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a sender in a domain of ours that its address class does not have."""
    return await check_sender(transaction)


async def check_recipient(transaction: Transaction) -> Verdict:
    """Do the work of reject_unlisted_recipient, once for each recipient."""
    if transaction.recipient is None or transaction.recipient_checked or transaction.policy.takes_unlisted:
        return DUNNO
    transaction.recipient_checked = True
    return await _unlisted(transaction, transaction.recipient, RECIPIENT, "5.1.1")


async def check_sender(transaction: Transaction) -> Verdict:
    """Do the work of reject_unlisted_sender."""
    if not transaction.sender or transaction.sender_checked or transaction.policy.takes_unlisted:
        return DUNNO
    transaction.sender_checked = True
    return await _unlisted(transaction, transaction.sender, SENDER, "5.1.0")


async def _unlisted(transaction: Transaction, address: str, stage: Stage, status: str) -> Verdict:
    policy = transaction.policy
    settings = policy.settings
    reply = await transaction.resolve(address)
    resolved = reply.recipient
    if stage is RECIPIENT and policy.rewritten_senders is not None:
        try:
            if policy.rewritten_senders.unpack(resolved) is not None:
                return DUNNO
        except BadRewrittenAddress as reason:
            code = settings.unknown_virtual_alias_reject_code
            return Reject(code, status, f"<{address}>: {stage.label} rejected: {reason}", "bounce")
    try:
        for maps in policy.mappings if stage is RECIPIENT else policy.sender_mappings:
            if await _has(policy, maps, resolved):
                return DUNNO
        if stage is RECIPIENT and reply.transport in (settings.error_service_name, "retry"):
            return _error_transport(transaction, address, stage, reply)
        listed = _LISTS.get(reply.resolve_flags & CLASS_MASK)
        if listed is None:
            return DUNNO
        if reply.resolve_flags & CLASS_RELAY:
            policy.old.tell_relay("accept mail for address", address)
        if reply.resolve_flags & CLASS_LOCAL and _is_always_there(settings, resolved):
            return DUNNO
        of_class = listed.maps(policy)
        if of_class is not None and (not of_class or await _has(policy, of_class, resolved)):
            return DUNNO
    except TableError:
        raise transaction.lookup_failed(address) from None
    code = listed.code(settings)
    suffix = f" in {listed.name} table" if settings.show_user_unknown_table_name else ""
    status = status if code >= 500 else f"4{status[1:]}"
    return Reject(code, status, f"<{address}>: {stage.label} rejected: User unknown{suffix}", "bounce")


def _is_always_there(settings: SmtpdSettings, address: str) -> bool:
    """Tell whether mail for a name of this system has to be taken, be it listed or not."""
    localpart = address.rpartition("@")[0].lower()
    return localpart in _ALWAYS_THERE or localpart == settings.double_bounce_sender.lower()


@dataclass(frozen=True, slots=True)
class _Listed:
    """Where the addresses of a class are listed."""

    name: str
    maps: Callable[[AccessPolicy], Maps | None]
    """None: only the mappings have them.  Without tables, every address exists."""
    code: Callable[[SmtpdSettings], int]


_LISTS: Final = {
    CLASS_LOCAL: _Listed(
        "local recipient", lambda policy: policy.local_recipients,
        lambda settings: settings.unknown_local_recipient_reject_code,
    ),
    CLASS_ALIAS: _Listed(
        "virtual alias", lambda _: None,
        lambda settings: settings.unknown_virtual_alias_reject_code,
    ),
    CLASS_VIRTUAL: _Listed(
        "virtual mailbox", lambda policy: policy.virtual_mailboxes,
        lambda settings: settings.unknown_virtual_mailbox_reject_code,
    ),
    CLASS_RELAY: _Listed(
        "relay recipient", lambda policy: policy.relay_recipients,
        lambda settings: settings.unknown_relay_recipient_reject_code,
    ),
}  # fmt: skip


async def _has(policy: AccessPolicy, maps: Maps, address: str) -> bool:
    delimiter, is_local = policy.recipient_delimiter, policy.is_local_domain
    if policy.domains_wait:
        return await maps.find_address(address, delimiter, is_local=policy.ask_local_domain) is not None
    if maps.local:
        return maps.find_address_now(address, delimiter, is_local=is_local) is not None
    return await maps.find_address(address, delimiter, is_local=is_local) is not None


def _error_transport(transaction: Transaction, address: str, stage: Stage, reply: ResolveReply) -> Reject:
    """Return the refusal that the error or retry transport's next-hop text asks for."""
    later, nexthop = reply.transport == "retry", reply.nexthop
    status, text = split_status(nexthop, "4.0.0" if later else "5.1.1")
    status = ("4" if later else "5") + status[1:]
    code = 450 if later else 550
    if not later and reply.resolve_flags & CLASS_ALIAS:  # the one class that has a code of its own here
        code = transaction.policy.settings.unknown_virtual_alias_reject_code
    if later and not nexthop:
        status = "4.0.0"
    return Reject(code, status, f"<{address}>: {stage.label} rejected: {text or _DEFAULT_REASON}", "bounce")
