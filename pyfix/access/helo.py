"""Restrictions on the name that a client gives in HELO or EHLO.

Source: postconf(5) smtpd_helo_restrictions.
"""

from __future__ import annotations

from pyfix.access.evaluate import Check
from pyfix.access.stage import Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, Reject, Verdict
from pyfix.formats.domain import is_hostaddr, is_hostname, valid_mailhost_literal
from pyfix.runtime.asciinames import ascii_name


def bad_literal(transaction: Transaction, name: str, label: str) -> Reject:
    """Return the refusal of a malformed address literal, with invalid_hostname_reject_code."""
    code = transaction.policy.settings.invalid_hostname_reject_code
    return Reject(code, "5.5.2", f"<{name}>: {label} rejected: invalid ip address")


def reject_invalid_helo_hostname(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a malformed name or address, with invalid_hostname_reject_code."""
    name = transaction.helo_name
    if name is None:
        return DUNNO
    if name.startswith("["):
        return DUNNO if valid_mailhost_literal(name) else bad_literal(transaction, name, "Helo command")
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
        return DUNNO if valid_mailhost_literal(name) else bad_literal(transaction, name, "Helo command")
    bare = name.removesuffix(".")
    ascii_form = ascii_name(bare) if transaction.smtputf8 else bare
    if ascii_form and ascii_form.isascii() and is_hostname(ascii_form) and "." in bare:
        return DUNNO
    code = transaction.policy.settings.non_fqdn_reject_code
    return Reject(code, "5.5.2", f"<{name}>: Helo command rejected: need fully-qualified hostname")
