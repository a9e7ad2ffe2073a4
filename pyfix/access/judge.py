"""Judging each command of a session: which lists are asked when.

Source: SMTPD_ACCESS_README; postconf(5) smtpd_delay_reject,
smtpd_relay_before_recipient_restrictions.
"""

from __future__ import annotations

from collections.abc import Awaitable

from pyfix.access import unlisted
from pyfix.access.evaluate import CheckList, Deferral, evaluate, refuse
from pyfix.access.relay import is_authorized
from pyfix.access.stage import CLIENT, DATA, END_OF_DATA, ETRN, HELO, RECIPIENT, SENDER, Stage
from pyfix.access.transaction import LookupFailed, Transaction
from pyfix.access.verdict import Reject, Verdict
from pyfix.tables.table import TableError

__all__ = [
    "judge_client",
    "judge_data",
    "judge_end_of_data",
    "judge_etrn",
    "judge_helo",
    "judge_recipient",
    "judge_sender",
]


async def judge_client(transaction: Transaction) -> Reject | None:
    """Ask smtpd_client_restrictions; return the refusal or None."""
    transaction.defer_if_permit = None
    refusal = await _ask(transaction, CLIENT, transaction.policy.client)
    transaction.client_deferral = transaction.helo_deferral = transaction.defer_if_permit
    return refusal


async def judge_helo(transaction: Transaction) -> Reject | None:
    """Ask smtpd_helo_restrictions."""
    transaction.defer_if_permit = transaction.client_deferral
    refusal = await _ask(transaction, HELO, transaction.policy.helo)
    transaction.helo_deferral = transaction.defer_if_permit
    return refusal


async def judge_sender(transaction: Transaction) -> Reject | None:
    """Ask smtpd_sender_restrictions, and what smtpd_reject_unlisted_sender adds."""
    transaction.sender_checked = False
    transaction.defer_if_permit = transaction.helo_deferral
    deferral = Deferral()
    refusal = await _ask(transaction, SENDER, transaction.policy.sender, deferral)
    if refusal is not None or not transaction.policy.settings.smtpd_reject_unlisted_sender:
        return refusal
    if transaction.discard or transaction.sender_checked:
        return None
    return await _ask_whether_listed(
        transaction, "smtpd_reject_unlisted_sender", unlisted.check_sender(transaction), deferral
    )


async def _ask(
    transaction: Transaction, stage: Stage, checks: CheckList, deferral: Deferral | None = None
) -> Reject | None:
    if transaction.discard or not checks:
        return None
    verdict = await evaluate(transaction, stage, checks, deferral)
    return verdict if isinstance(verdict, Reject) else None


async def _ask_delayed(transaction: Transaction) -> Reject | None:
    """Ask what smtpd_delay_reject has put off: client, HELO and sender lists."""
    policy = transaction.policy
    if not policy.settings.smtpd_delay_reject:
        return None
    transaction.defer_if_permit = None
    if policy.client and (refusal := await judge_client(transaction)) is not None:
        return refusal
    if policy.helo and transaction.helo_name is not None and (refusal := await judge_helo(transaction)) is not None:
        return refusal
    if transaction.sender is not None:
        return await judge_sender(transaction)
    return None


async def judge_recipient(transaction: Transaction) -> Reject | None:
    """Ask everything that a recipient needs: the delayed lists, relay and recipient lists, and whether it exists.

    ``postmaster`` without a domain is always welcome.  Source: RFC 5321 section 4.5.1.
    """
    recipient = transaction.recipient
    if recipient is None or recipient.lower() == "postmaster" or transaction.discard:
        return None
    policy = transaction.policy
    transaction.recipient_checked = False
    early = transaction.defer_if_permit
    refusal: Reject | None = None
    if policy.delays:
        if (refusal := await _ask_delayed(transaction)) is not None:
            return refusal
    elif policy.settings.smtpd_delay_reject:
        transaction.defer_if_permit = None
        transaction.sender_checked = False
    deferral = Deferral()
    lists = (policy.relay, policy.recipient)
    if not policy.settings.smtpd_relay_before_recipient_restrictions:
        lists = (policy.recipient, policy.relay)
    for checks in lists:
        if checks and not transaction.discard:
            verdict = await evaluate(transaction, RECIPIENT, checks, deferral)
            if isinstance(verdict, Reject):
                refusal = verdict
                if checks is policy.recipient:
                    policy.old.tell_order(recipient, transaction.client.log_name)
                break
    if refusal is None and transaction.defer_if_permit is not None:
        refusal = refuse(transaction, transaction.defer_if_permit)
    if policy.old.relay_list and refusal is None and not transaction.discard:
        await _tell_missing_relay_list(transaction, recipient)
    if not policy.settings.smtpd_delay_reject:
        transaction.defer_if_permit = early
    if refusal is not None or transaction.discard or transaction.recipient_checked:
        return refusal
    if not policy.settings.smtpd_reject_unlisted_recipient:
        return None
    return await _ask_whether_listed(
        transaction, "smtpd_reject_unlisted_recipient", unlisted.check_recipient(transaction), deferral
    )


async def _ask_whether_listed(
    transaction: Transaction, parameter: str, question: Awaitable[Verdict], deferral: Deferral
) -> Reject | None:
    """Refuse an address of ours that does not exist, as *parameter* wants."""
    try:
        verdict = await question
    except LookupFailed as failed:
        verdict = failed.reject
    if transaction.policy.decisions is not None:
        transaction.policy.decisions.of_no_list(transaction, parameter, verdict)
    return refuse(transaction, verdict, deferral) if isinstance(verdict, Reject) else None


async def _tell_missing_relay_list(transaction: Transaction, recipient: str) -> None:
    """Ask what smtpd_relay_restrictions would be today, and tell where they would refuse."""
    policy, client = transaction.policy, transaction.client
    try:
        if await policy.ask_mynetworks(client.address):
            policy.old.tell_network(client.address, client.log_name)
            return
    except TableError:
        return
    if not transaction.sasl_username and not is_authorized(transaction, await transaction.resolve(recipient)):
        policy.old.tell_relay_list(recipient, client.log_name)


async def judge_etrn(transaction: Transaction, domain: str) -> Reject | None:
    """Ask the delayed lists and smtpd_etrn_restrictions about a domain."""
    early = transaction.defer_if_permit
    transaction.etrn_domain = domain
    refusal = await _ask_delayed(transaction)
    if refusal is None:
        refusal = await _ask(transaction, ETRN, transaction.policy.etrn)
        if refusal is None and transaction.defer_if_permit is not None:
            refusal = refuse(transaction, transaction.defer_if_permit)
    transaction.defer_if_permit = early
    transaction.etrn_domain = ""
    return refusal


async def judge_data(transaction: Transaction) -> Reject | None:
    """Ask smtpd_data_restrictions."""
    return await _late(transaction, DATA, transaction.policy.data)


async def judge_end_of_data(transaction: Transaction) -> Reject | None:
    """Ask smtpd_end_of_data_restrictions."""
    return await _late(transaction, END_OF_DATA, transaction.policy.end_of_data)


async def _late(transaction: Transaction, stage: Stage, checks: CheckList) -> Reject | None:
    if not checks or transaction.discard:
        return None
    transaction.defer_if_permit = None
    first = transaction.recipient
    if transaction.accepted > 1:
        transaction.recipient = None  # it concerns all recipients alike
    try:
        verdict = await evaluate(transaction, stage, checks)
        if isinstance(verdict, Reject):
            return verdict
        if transaction.defer_if_permit is not None:
            return refuse(transaction, transaction.defer_if_permit)
    finally:
        transaction.recipient = first
    return None
