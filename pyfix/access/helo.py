"""Restrictions on the name that a client gives in HELO or EHLO.

Source: postconf(5) smtpd_helo_restrictions.
"""

from __future__ import annotations

from pyfix.access.evaluate import Check
from pyfix.access.stage import Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, Reject, Verdict
from pyfix.formats.domain import is_hostaddr, is_hostname, valid_mailhost_literal


def _bad_literal(transaction: Transaction, name: str, label: str) -> Reject:
    code = transaction.policy.settings.invalid_hostname_reject_code
    return Reject(code, "5.5.2", f"<{name}>: {label} rejected: invalid ip address")


def reject_invalid_helo_hostname(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a malformed name or address, with invalid_hostname_reject_code."""
    name = transaction.helo_name
    if name is None:
        return DUNNO
    if name.startswith("["):
        return DUNNO if valid_mailhost_literal(name) else _bad_literal(transaction, name, "Helo command")
    bare = name.removesuffix(".")
    if bare.isascii() and (is_hostname(bare) or is_hostaddr(bare)):
        return DUNNO
    code = transaction.policy.settings.invalid_hostname_reject_code
    return Reject(code, "5.5.2", f"<{name}>: Helo command rejected: Invalid name")


def reject_non_fqdn_helo_hostname(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a name that is not fully qualified, with non_fqdn_reject_code; an address literal will do."""
    name = transaction.helo_name
    if name is None:
        return DUNNO
    if name.startswith("["):
        return DUNNO if valid_mailhost_literal(name) else _bad_literal(transaction, name, "Helo command")
    bare = name.removesuffix(".")
    if (bare.isascii() or transaction.smtputf8) and is_hostname(bare) and "." in bare:
        return DUNNO
    code = transaction.policy.settings.non_fqdn_reject_code
    return Reject(code, "5.5.2", f"<{name}>: Helo command rejected: need fully-qualified hostname")
