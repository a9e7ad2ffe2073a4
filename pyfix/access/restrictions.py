"""The names of restrictions, and the functions that they stand for.

Source: postconf(5) smtpd_client_restrictions and its neighbours; SMTPD_ACCESS_README.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pyfix.access import addresses, general, helo, relay, tables, unlisted
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
    "permit_tls_clientcerts": general.permit_tls_clientcerts,
    "permit_tls_all_clientcerts": general.permit_tls_clientcerts,
    "reject_plaintext_session": general.reject_plaintext_session,
    "reject_unauth_pipelining": general.reject_unauth_pipelining,
    "reject_multi_recipient_bounce": general.reject_multi_recipient_bounce,
    "check_client_access": tables.check_client_access,
    "check_reverse_client_hostname_access": tables.check_reverse_client_hostname_access,
    "check_helo_access": tables.check_helo_access,
    "check_sender_access": tables.check_sender_access,
    "check_recipient_access": tables.check_recipient_access,
    "check_etrn_access": tables.check_etrn_access,
    "reject_invalid_helo_hostname": helo.reject_invalid_helo_hostname,
    "reject_invalid_hostname": helo.reject_invalid_helo_hostname,
    "reject_non_fqdn_helo_hostname": helo.reject_non_fqdn_helo_hostname,
    "reject_non_fqdn_hostname": helo.reject_non_fqdn_helo_hostname,
    "reject_non_fqdn_sender": addresses.reject_non_fqdn_sender,
    "reject_non_fqdn_recipient": addresses.reject_non_fqdn_recipient,
    "reject_unlisted_sender": unlisted.reject_unlisted_sender,
    "reject_unlisted_recipient": unlisted.reject_unlisted_recipient,
    "check_recipient_maps": unlisted.reject_unlisted_recipient,
    "reject_unauth_destination": relay.reject_unauth_destination,
    "defer_unauth_destination": relay.defer_unauth_destination,
    "permit_auth_destination": relay.permit_auth_destination,
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
}
"""The restrictions that take the next word, and what is done with it when the list is compiled."""


def broken(_transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Stand for a word that names nothing."""
    log.warning(f'unknown smtpd restriction: "{check.argument}"')
    return MISCONFIGURED


def bad_argument(_transaction: Transaction, stage: Stage, check: Check) -> Verdict:
    """Stand for a table in a list where no kind of table is the usual one."""
    log.warning(f'unknown smtpd restriction: "{check.argument}"')
    return MISCONFIGURED
