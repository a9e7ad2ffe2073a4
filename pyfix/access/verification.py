"""Refuse addresses that can't be delivered to, as a probe has found out.

Source: ADDRESS_VERIFICATION_README; postconf(5) reject_unverified_sender, reject_unverified_recipient,
address_verify_poll_count, address_verify_poll_delay, unverified_sender_reject_code and its kin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyfix.access.evaluate import Check
from pyfix.access.stage import RECIPIENT, SENDER, Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, Reject, Verdict, refused
from pyfix.protocols.internal.verify import RECIPIENT_BOUNCED, RECIPIENT_DEFERRED, RECIPIENT_OK, RECIPIENT_UNKNOWN
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.runtime.task import sleep

_MOST_REASON = 250


@dataclass(frozen=True, slots=True)
class _Side:
    """What main.cf says for senders, or for recipients."""

    stage: Stage
    status: str
    defer_code: int
    reject_code: int
    reason: str
    """The reason to give in place of the probe's; empty: that one."""
    later: Callable[[Reject], Verdict]
    """What to do where the outcome may change."""


async def reject_unverified_sender(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a sender to whom mail could not be delivered."""
    if not transaction.sender:
        return DUNNO
    settings = transaction.policy.settings
    side = _Side(
        SENDER, "4.1.7", settings.unverified_sender_defer_code, settings.unverified_sender_reject_code,
        settings.unverified_sender_reject_reason, transaction.policy.tempfail.unverified_sender,
    )  # fmt: skip
    return await _unverified(transaction, transaction.sender, side)


async def reject_unverified_recipient(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a recipient to whom mail could not be delivered."""
    if transaction.recipient is None:
        return DUNNO
    settings = transaction.policy.settings
    side = _Side(
        RECIPIENT, "4.1.1", settings.unverified_recipient_defer_code, settings.unverified_recipient_reject_code,
        settings.unverified_recipient_reject_reason, transaction.policy.tempfail.unverified_recipient,
    )  # fmt: skip
    return await _unverified(transaction, transaction.recipient, side)


async def _unverified(transaction: Transaction, address: str, side: _Side) -> Verdict:
    begin = f"<{address}>: {side.stage.label} rejected:"
    try:
        status, reason = await _outcome(transaction, address)
    except ServiceError:
        log.warning(f"{transaction.policy.settings.address_verify_service_name} service failure")
        return side.later(refused(450, side.status, f"{begin} address verification problem"))
    if status == RECIPIENT_OK:
        return DUNNO
    if status == RECIPIENT_BOUNCED:
        code = side.reject_code
    elif status in (RECIPIENT_DEFERRED, RECIPIENT_UNKNOWN):
        code = side.defer_code
    else:
        log.warning(f"unknown address verification status {status}")
        return DUNNO
    if code >= 400 and side.reason:
        reason = side.reason
    if code < 400:
        return DUNNO
    if code < 500:
        text = f"{begin} unverified address: {reason[:_MOST_REASON]}"
        return side.later(refused(code, side.status, text))
    return refused(code, side.status, f"{begin} undeliverable address: {reason}")


async def _outcome(transaction: Transaction, address: str) -> tuple[int, str]:
    """Return what is known of an address, after some waiting if it is being found out.  Raises ServiceError."""
    settings = transaction.policy.settings
    count = 0
    while True:
        probe = await transaction.policy.verifier.query(address)
        count += 1
        if probe.status != RECIPIENT_UNKNOWN or count >= settings.address_verify_poll_count:
            return probe.status, probe.reason
        await sleep(settings.address_verify_poll_delay)
