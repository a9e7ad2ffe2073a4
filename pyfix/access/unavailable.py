"""Restrictions that have a name but no effect: those that Postfix has given up.

A list that has one is answered with 451 at that place: to go on as if it were not there could open a door.
Source: postconf(5) smtpd_client_restrictions and its neighbours; DEPRECATION_README.
"""

from __future__ import annotations

from typing import Final

from pyfix.access.evaluate import MISCONFIGURED, Check
from pyfix.access.stage import Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, Verdict
from pyfix.runtime.log import log

__all__ = ["REMOVED", "refuse_removed"]

REMOVED: Final[dict[str, str]] = {
    "check_relay_domains": '"reject_unauth_destination"',
    "permit_naked_ip_address": '"permit_mynetworks" or "permit_sasl_authenticated"',
    "reject_maps_rbl": '"reject_rbl_client domain-name"',
}
"""What Postfix 3.9 has given up, and what to say instead."""


def refuse_removed(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Say what to use instead, and refuse; check_relay_domains was about recipients, and is nothing elsewhere."""
    name = check.name
    if name == "check_relay_domains" and transaction.recipient is None:
        return DUNNO
    log.warning(f'support for restriction "{name}" has been removed in Postfix 3.9; instead, specify {REMOVED[name]}')
    return MISCONFIGURED
