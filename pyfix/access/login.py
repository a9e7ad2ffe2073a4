"""Restrictions on who may send as whom.

Source: postconf(5) smtpd_sender_login_maps, reject_sender_login_mismatch and its kin; SASL_README, "Envelope sender
address authorization".
"""

from __future__ import annotations

from pyfix.access.evaluate import Check
from pyfix.access.stage import Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, Reject, Verdict
from pyfix.tables.table import TableError

_CODE = 553


async def reject_sender_login_mismatch(transaction: Transaction, stage: Stage, check: Check) -> Verdict:
    """Refuse a sender that belongs to somebody else than the client, or to somebody and the client to nobody."""
    verdict = await reject_authenticated_sender_login_mismatch(transaction, stage, check)
    if verdict is not DUNNO:
        return verdict
    return await reject_unauthenticated_sender_login_mismatch(transaction, stage, check)


async def reject_authenticated_sender_login_mismatch(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a client that has logged in a sender that is not its own."""
    if not transaction.policy.may_log_in("reject_authenticated_sender_login_mismatch"):
        return DUNNO
    return await _not_owned(transaction, strangers_may=False)


async def reject_known_sender_login_mismatch(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Do as reject_sender_login_mismatch, but let anybody use what belongs to nobody."""
    if not transaction.policy.may_log_in("reject_known_sender_login_mismatch"):
        return DUNNO
    if transaction.sasl_username:
        return await _not_owned(transaction, strangers_may=True)
    return await _belongs_to_somebody(transaction)


async def reject_unauthenticated_sender_login_mismatch(
    transaction: Transaction, _stage: Stage, _check: Check
) -> Verdict:
    """Refuse a client that has not logged in a sender that belongs to somebody."""
    if not transaction.policy.may_log_in("reject_unauthenticated_sender_login_mismatch"):
        return DUNNO
    return await _belongs_to_somebody(transaction)


async def _belongs_to_somebody(transaction: Transaction) -> Verdict:
    sender = transaction.sender
    if not sender or transaction.sasl_username or await _owners(transaction, sender) is None:
        return DUNNO
    return Reject(_CODE, "5.7.1", f"<{sender}>: Sender address rejected: not logged in")


async def _not_owned(transaction: Transaction, *, strangers_may: bool) -> Verdict:
    sender, login = transaction.sender, transaction.sasl_username
    if not sender or not login:
        return DUNNO
    owners = await _owners(transaction, sender)
    if owners is None:
        if strangers_may:
            return DUNNO
    elif login.lower() in [owner.lower() for owner in owners]:
        return DUNNO
    return Reject(_CODE, "5.7.1", f"<{sender}>: Sender address rejected: not owned by user {login}")


async def _owners(transaction: Transaction, sender: str) -> list[str] | None:
    """Return who may send as *sender*, None when nobody is known to.  Raises LookupFailed."""
    policy = transaction.policy
    address = (await transaction.resolve(sender)).recipient
    try:
        found = await policy.sender_logins.find_address(
            address, policy.recipient_delimiter, is_local=policy.ask_local_domain
        )
    except TableError:
        raise transaction.lookup_failed(sender) from None
    return None if found is None else found.value.replace(",", " ").split()
