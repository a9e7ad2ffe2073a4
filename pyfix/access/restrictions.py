"""The names of restrictions, and the functions that they stand for.

Source: postconf(5) smtpd_client_restrictions and its neighbours; SMTPD_ACCESS_README.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pyfix.access import (
    addresses,
    certificates,
    dnsaccess,
    dnslists,
    general,
    helo,
    login,
    mxbackup,
    policy_service,
    relay,
    tables,
    unknown,
    unlisted,
    verification,
)
from pyfix.access.evaluate import MISCONFIGURED, Check, CheckFunction
from pyfix.access.stage import Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import Verdict
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.access.policy import AccessPolicy

RESTRICTIONS: Final[dict[str, CheckFunction]] = {
    "permit": general.permit,
    "reject": general.reject,
    "defer": general.defer,
    "defer_if_permit": general.defer_if_permit,
    "defer_if_reject": general.defer_if_reject,
    "sleep": general.sleep,
    "permit_mynetworks": general.permit_mynetworks,
    "permit_inet_interfaces": general.permit_inet_interfaces,
    "permit_sasl_authenticated": general.permit_sasl_authenticated,
    "permit_tls_clientcerts": certificates.permit_tls_clientcerts,
    "permit_tls_all_clientcerts": certificates.permit_tls_all_clientcerts,
    "reject_plaintext_session": certificates.reject_plaintext_session,
    "reject_unauth_pipelining": general.reject_unauth_pipelining,
    "reject_multi_recipient_bounce": general.reject_multi_recipient_bounce,
    "check_client_access": tables.check_client_access,
    "check_reverse_client_hostname_access": tables.check_reverse_client_hostname_access,
    "check_helo_access": tables.check_helo_access,
    "check_sender_access": tables.check_sender_access,
    "check_recipient_access": tables.check_recipient_access,
    "check_etrn_access": tables.check_etrn_access,
    "check_policy_service": policy_service.check_policy_service,
    "check_ccert_access": certificates.check_ccert_access,
    "check_sasl_access": tables.check_sasl_access,
    "reject_invalid_helo_hostname": helo.reject_invalid_helo_hostname,
    "reject_invalid_hostname": helo.reject_invalid_helo_hostname,
    "reject_non_fqdn_helo_hostname": helo.reject_non_fqdn_helo_hostname,
    "reject_non_fqdn_hostname": helo.reject_non_fqdn_helo_hostname,
    "reject_non_fqdn_sender": addresses.reject_non_fqdn_sender,
    "reject_non_fqdn_recipient": addresses.reject_non_fqdn_recipient,
    "reject_unlisted_sender": unlisted.reject_unlisted_sender,
    "reject_unlisted_recipient": unlisted.reject_unlisted_recipient,
    "check_recipient_maps": unlisted.reject_unlisted_recipient,
    "reject_sender_login_mismatch": login.reject_sender_login_mismatch,
    "reject_authenticated_sender_login_mismatch": login.reject_authenticated_sender_login_mismatch,
    "reject_known_sender_login_mismatch": login.reject_known_sender_login_mismatch,
    "reject_unauthenticated_sender_login_mismatch": login.reject_unauthenticated_sender_login_mismatch,
    "reject_unauth_destination": relay.reject_unauth_destination,
    "defer_unauth_destination": relay.defer_unauth_destination,
    "permit_auth_destination": relay.permit_auth_destination,
    "permit_mx_backup": mxbackup.permit_mx_backup,
    "reject_unknown_client_hostname": unknown.reject_unknown_client_hostname,
    "reject_unknown_client": unknown.reject_unknown_client_hostname,
    "reject_unknown_reverse_client_hostname": unknown.reject_unknown_reverse_client_hostname,
    "reject_unknown_helo_hostname": unknown.reject_unknown_helo_hostname,
    "reject_unknown_hostname": unknown.reject_unknown_helo_hostname,
    "reject_unknown_sender_domain": unknown.reject_unknown_sender_domain,
    "reject_unknown_address": unknown.reject_unknown_sender_domain,
    "reject_unknown_recipient_domain": unknown.reject_unknown_recipient_domain,
    "reject_unverified_sender": verification.reject_unverified_sender,
    "reject_unverified_recipient": verification.reject_unverified_recipient,
    "reject_rbl_client": dnslists.reject_rbl_client,
    "reject_rbl": dnslists.reject_rbl_client,
    "reject_rhsbl_client": dnslists.reject_rhsbl_client,
    "reject_rhsbl_reverse_client": dnslists.reject_rhsbl_reverse_client,
    "reject_rhsbl_helo": dnslists.reject_rhsbl_helo,
    "reject_rhsbl_sender": dnslists.reject_rhsbl_sender,
    "reject_rhsbl_recipient": dnslists.reject_rhsbl_recipient,
    "permit_dnswl_client": dnslists.permit_dnswl_client,
    "permit_rhswl_client": dnslists.permit_rhswl_client,
    **dnsaccess.RESTRICTIONS,
}
"""By name, in lower case."""


def _keep_argument(_policy: AccessPolicy, _check: Check) -> None:
    pass


TAKES_ARGUMENT: Final[dict[str, Callable[[AccessPolicy, Check], None]]] = {
    "sleep": _keep_argument,
    "check_client_access": tables.open_access_table,
    "check_reverse_client_hostname_access": tables.open_access_table,
    "check_helo_access": tables.open_access_table,
    "check_sender_access": tables.open_access_table,
    "check_recipient_access": tables.open_access_table,
    "check_etrn_access": tables.open_access_table,
    "check_policy_service": policy_service.open_policy_service,
    **dict.fromkeys(dnsaccess.RESTRICTIONS, dnsaccess.open_server_table),
    **dict.fromkeys(
        (
            "reject_rbl_client", "reject_rbl", "reject_rhsbl_client", "reject_rhsbl_reverse_client",
            "reject_rhsbl_helo", "reject_rhsbl_sender", "reject_rhsbl_recipient", "permit_dnswl_client",
            "permit_rhswl_client",
        ),
        dnslists.open_dns_list,
    ),
    "check_ccert_access": certificates.open_certificate_table,
    "check_sasl_access": tables.open_access_table,
}  # fmt: skip
"""The restrictions that take the next word, and what is done with it when the list is compiled."""


def broken(_transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Stand for a word that names nothing."""
    log.warning(f'unknown smtpd restriction: "{check.argument}"')
    return MISCONFIGURED


_TABLES: Final = (
    "check_client_access", "check_reverse_client_hostname_access", "check_helo_access", "check_sender_access",
    "check_recipient_access", "check_etrn_access",
)  # fmt: skip


def bad_argument(_transaction: Transaction, stage: Stage, check: Check) -> Verdict:
    """Stand for a table in a list where no kind of table is the usual one."""
    log.warning(f'specify one of ({", ".join(_TABLES)}) before {stage.label} restriction "{check.argument}"')
    return MISCONFIGURED
