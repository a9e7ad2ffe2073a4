"""Restrictions that have a name but no effect: those that Postfix has given up, and those that pyfix can't ask yet.

A list that has one is answered with 451 at that place: to go on as if it were not there could open a door.
Source: postconf(5) smtpd_client_restrictions and its neighbours; DEPRECATION_README.
"""

from __future__ import annotations

from typing import Final

from pyfix.access.evaluate import MISCONFIGURED, Check
from pyfix.access.stage import Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import Verdict
from pyfix.runtime.log import log

__all__ = ["AWAITED", "REMOVED", "refuse_awaited", "refuse_removed"]

REMOVED: Final[dict[str, str]] = {
    "check_relay_domains": '"reject_unauth_destination"',
    "permit_naked_ip_address": '"permit_mynetworks" or "permit_sasl_authenticated"',
    "reject_maps_rbl": '"reject_rbl_client domain-name"',
}
"""What Postfix 3.9 has given up, and what to say instead."""

_NAMES_OF_DNS: Final = ("client", "reverse_client_hostname", "helo", "sender", "recipient")
AWAITED: Final[dict[str, int]] = {
    **{f"check_{name}_{kind}_access": 1 for name in _NAMES_OF_DNS for kind in ("a", "mx", "ns")},
    **dict.fromkeys(
        (
            "check_ccert_access", "check_policy_service", "check_sasl_access", "permit_dnswl_client",
            "permit_rhswl_client", "reject_rbl", "reject_rbl_client", "reject_rhsbl_client", "reject_rhsbl_helo",
            "reject_rhsbl_recipient", "reject_rhsbl_reverse_client", "reject_rhsbl_sender",
        ), 1,
    ),
    **dict.fromkeys(
        (
            "permit_mx_backup", "reject_authenticated_sender_login_mismatch", "reject_known_sender_login_mismatch",
            "reject_sender_login_mismatch", "reject_unauthenticated_sender_login_mismatch", "reject_unknown_address",
            "reject_unknown_client", "reject_unknown_client_hostname", "reject_unknown_forward_client_hostname",
            "reject_unknown_helo_hostname", "reject_unknown_hostname", "reject_unknown_recipient_domain",
            "reject_unknown_reverse_client_hostname", "reject_unknown_sender_domain", "reject_unverified_recipient",
            "reject_unverified_sender",
        ), 0,
    ),
}  # fmt: skip
"""What needs DNS, TLS, SASL, policy services or address probes, and how many words of the list follow it."""


def refuse_removed(_transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Say what to use instead, and refuse."""
    name = check.name
    log.warning(f'support for restriction "{name}" has been removed in Postfix 3.9; instead, specify {REMOVED[name]}')
    return MISCONFIGURED


def refuse_awaited(_transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Say that it is not there, and refuse."""
    log.warning(f'restriction "{check.name}" is not available in this version of pyfix')
    return MISCONFIGURED
