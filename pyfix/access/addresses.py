"""Restrictions on the form of sender and recipient.

Source: postconf(5) reject_non_fqdn_sender, reject_non_fqdn_recipient.
"""

from __future__ import annotations

from pyfix.access.evaluate import Check
from pyfix.access.stage import RECIPIENT, SENDER, Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, Reject, Verdict
from pyfix.formats.domain import domain_to_ascii, is_hostname


def _fully_qualified(address: str) -> bool:
    domain = address.rpartition("@")[2] if "@" in address else ""
    if domain.startswith("["):
        return True
    bare = domain.removesuffix(".")
    return "." in bare and is_hostname(domain_to_ascii(bare) or "")


def _reject_non_fqdn(transaction: Transaction, address: str | None, stage: Stage) -> Verdict:
    if not address or _fully_qualified(address):
        return DUNNO
    code = transaction.policy.settings.non_fqdn_reject_code
    return Reject(code, "5.5.2", f"<{address}>: {stage.label} rejected: need fully-qualified address")


def reject_non_fqdn_sender(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a sender whose domain is not fully qualified, with non_fqdn_reject_code."""
    return _reject_non_fqdn(transaction, transaction.sender, SENDER)


def reject_non_fqdn_recipient(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a recipient whose domain is not fully qualified, with non_fqdn_reject_code."""
    return _reject_non_fqdn(transaction, transaction.recipient, RECIPIENT)
