"""Restrictions that any list may have.

Source: postconf(5) smtpd_client_restrictions, "Other restrictions that are valid in this context".
"""

from __future__ import annotations

from collections.abc import Awaitable

from pyfix.access.evaluate import MISCONFIGURED, Check
from pyfix.access.stage import DATA, END_OF_DATA, RECIPIENT, Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, PERMIT, DeferIfPermit, DeferIfReject, Reject, Verdict
from pyfix.runtime.log import log
from pyfix.runtime.task import sleep as pause
from pyfix.tables.table import TableError


def permit(_transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Permit the request."""
    return PERMIT


def reject(transaction: Transaction, stage: Stage, _check: Check) -> Verdict:
    """Refuse the request, with reject_code."""
    code = transaction.policy.settings.reject_code
    return Reject(code, "5.7.1", f"<{stage.subject(transaction)}>: {stage.label} rejected: Access denied")


def defer(transaction: Transaction, stage: Stage, _check: Check) -> Verdict:
    """Put the request off, with defer_code."""
    code = transaction.policy.settings.defer_code
    return Reject(code, "4.3.2", f"<{stage.subject(transaction)}>: {stage.label} rejected: Try again later")


def defer_if_permit(transaction: Transaction, stage: Stage, _check: Check) -> Verdict:
    """Put the request off if the later restrictions would permit it."""
    text = f"<{stage.subject(transaction)}>: {stage.label} rejected: defer_if_permit requested"
    return DeferIfPermit(Reject(450, "4.7.0", text))


def defer_if_reject(transaction: Transaction, stage: Stage, _check: Check) -> Verdict:
    """Put the request off if a later restriction would refuse it."""
    text = f"<{stage.subject(transaction)}>: {stage.label} rejected: defer_if_reject requested"
    return DeferIfReject(Reject(450, "4.7.0", text))


def reject_unauth_pipelining(transaction: Transaction, stage: Stage, _check: Check) -> Verdict:
    """Refuse a client that sends commands before it knows that it may, with 503."""
    if not transaction.ill_pipelining:
        return DUNNO
    text = f"<{stage.subject(transaction)}>: {stage.label} rejected: Improper use of SMTP command pipelining"
    return Reject(503, "5.5.0", text)


def reject_multi_recipient_bounce(transaction: Transaction, stage: Stage, _check: Check) -> Verdict:
    """Refuse a null sender with several recipients, with multi_recipient_bounce_reject_code."""
    most = 1 if stage in (DATA, END_OF_DATA) else 0
    if stage is not RECIPIENT and not most:
        return DUNNO
    if transaction.sender != "" or transaction.accepted <= most:
        return DUNNO
    code = transaction.policy.settings.multi_recipient_bounce_reject_code
    return Reject(code, "5.5.3", f"<{stage.subject(transaction)}>: {stage.label} rejected: Multi-recipient bounce")


def permit_mynetworks(transaction: Transaction, stage: Stage, check: Check) -> Verdict | Awaitable[Verdict]:
    """Permit a client whose address is in mynetworks."""
    if transaction.policy.networks_wait:
        return _permit_mynetworks(transaction, stage, check)
    try:
        if not transaction.policy.in_mynetworks(transaction.client.address):
            return DUNNO
    except TableError:
        raise transaction.lookup_failed(stage.subject(transaction)) from None
    transaction.policy.old.tell_network(transaction.client.address, transaction.client.log_name)
    return PERMIT


async def _permit_mynetworks(transaction: Transaction, stage: Stage, _check: Check) -> Verdict:
    """Do the same with tables that may wait."""
    try:
        if not await transaction.policy.ask_mynetworks(transaction.client.address):
            return DUNNO
    except TableError:
        raise transaction.lookup_failed(stage.subject(transaction)) from None
    transaction.policy.old.tell_network(transaction.client.address, transaction.client.log_name)
    return PERMIT


def permit_inet_interfaces(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Permit a client whose address is one of ours (inet_interfaces)."""
    return PERMIT if transaction.client.connected_from in transaction.policy.own_addresses else DUNNO


def permit_sasl_authenticated(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Permit a client that has logged in, by AUTH or XCLIENT LOGIN."""
    return PERMIT if transaction.sasl_username else DUNNO


async def sleep(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Wait for some seconds and go on."""
    if not (check.argument.isascii() and check.argument.isdigit()):
        log.warning("restriction sleep must be followed by number")
        return MISCONFIGURED
    await pause(int(check.argument))
    return DUNNO
