"""Restrictions on where mail may be relayed.

Source: postconf(5) smtpd_relay_restrictions; SMTPD_ACCESS_README.
"""

from __future__ import annotations

from typing import Final

from pyfix.access.evaluate import Check
from pyfix.access.stage import Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, PERMIT, Reject, Verdict
from pyfix.protocols.internal.rewrite import CLASS_ALIAS, CLASS_LOCAL, CLASS_RELAY, CLASS_VIRTUAL, ROUTED, ResolveReply

_OURS: Final = CLASS_LOCAL | CLASS_ALIAS | CLASS_VIRTUAL | CLASS_RELAY


def is_authorized(transaction: Transaction, reply: ResolveReply) -> bool:
    """Say whether mail for a resolved recipient is ours, or ours to relay, and was not routed through us on purpose."""
    _, at, domain = reply.recipient.rpartition("@")
    if not at or not domain:
        return True
    if reply.resolve_flags & ROUTED and not transaction.policy.settings.allow_untrusted_routing:
        return False
    if reply.resolve_flags & CLASS_RELAY:
        transaction.policy.old.tell_relay("accept mail for domain", domain)
    return bool(reply.resolve_flags & _OURS)


async def reject_unauth_destination(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a recipient whose mail is neither ours nor ours to relay.

    Ours: mydestination, inet_interfaces, virtual_alias_domains, virtual_mailbox_domains.  Ours to
    relay: relay_domains.  A sender-specified route (user@elsewhere@ours) counts as elsewhere.
    """
    recipient = transaction.recipient
    if recipient is None or is_authorized(transaction, await transaction.resolve(recipient)):
        return DUNNO
    code = transaction.policy.settings.relay_domains_reject_code
    return Reject(code, "5.7.1", f"<{recipient}>: Relay access denied")


async def defer_unauth_destination(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Put off what reject_unauth_destination would refuse."""
    recipient = transaction.recipient
    if recipient is None or is_authorized(transaction, await transaction.resolve(recipient)):
        return DUNNO
    code = transaction.policy.settings.relay_domains_reject_code - 100
    return Reject(code, "4.7.1", f"<{recipient}>: Relay access denied")


async def permit_auth_destination(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Permit what reject_unauth_destination would not refuse."""
    recipient = transaction.recipient
    if recipient is None:
        return DUNNO
    return PERMIT if is_authorized(transaction, await transaction.resolve(recipient)) else DUNNO
