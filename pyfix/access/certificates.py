"""Restrictions that look at the client's certificate, and at whether there is TLS at all.

Source: postconf(5) permit_tls_clientcerts, permit_tls_all_clientcerts, check_ccert_access, relay_clientcerts,
reject_plaintext_session, smtpd_tls_fingerprint_digest; TLS_README.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyfix.access.evaluate import MISCONFIGURED, Check
from pyfix.access.stage import Stage
from pyfix.access.tables import search
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, PERMIT, Reject, Verdict
from pyfix.runtime.log import log
from pyfix.tables.braces import split_words, unbrace
from pyfix.tables.maps import Maps
from pyfix.tables.source import open_or_unavailable
from pyfix.tables.table import Table, TableError
from pyfix.tls.facts import PeerCertificate

if TYPE_CHECKING:
    from pyfix.access.policy import AccessPolicy

__all__ = [
    "check_ccert_access", "open_certificate_table", "permit_tls_all_clientcerts", "permit_tls_clientcerts",
    "permitted_by_certificate", "reject_plaintext_session",
]  # fmt: skip


def reject_plaintext_session(transaction: Transaction, _stage: Stage, _check: Check) -> Verdict:
    """Refuse a session without TLS, with plaintext_reject_code."""
    if transaction.tls is not None:
        return DUNNO
    code = transaction.policy.settings.plaintext_reject_code
    return Reject(code, "4.7.1" if code < 500 else "5.7.1", "Session encryption is required")


async def permit_tls_all_clientcerts(transaction: Transaction, stage: Stage, check: Check) -> Verdict:
    """Permit a client whose certificate comes from an authority that we trust, or is one of relay_clientcerts."""
    return await _permit(transaction, stage, check, trusted_too=True)


async def permit_tls_clientcerts(transaction: Transaction, stage: Stage, check: Check) -> Verdict:
    """Permit a client with a certificate, or public key, whose fingerprint relay_clientcerts has."""
    return await _permit(transaction, stage, check, trusted_too=False)


async def _permit(transaction: Transaction, stage: Stage, check: Check, *, trusted_too: bool) -> Verdict:
    try:
        return PERMIT if await permitted_by_certificate(transaction, check.name, trusted_too=trusted_too) else DUNNO
    except TableError:
        raise transaction.lookup_failed(stage.subject(transaction)) from None


async def permitted_by_certificate(transaction: Transaction, name: str, *, trusted_too: bool) -> bool:
    """Look the client's certificate up in relay_clientcerts.  Raises TableError.

    *name*: the restriction.  *trusted_too*: one that comes from an authority that we trust need not be there.
    """
    tls = transaction.tls
    if tls is None:
        return False
    if trusted_too and tls.trusted:
        return True
    if tls.certificate is None:
        _say_none_asked(transaction, name)
        return False
    transaction.policy.old.tell_digest("certificate fingerprints")
    maps: Maps = transaction.policy.relay_clientcerts
    for print_ in (tls.certificate.fingerprint, tls.certificate.key_fingerprint):
        if await maps.find(print_) is not None:
            return True
    return False


def _say_none_asked(transaction: Transaction, name: str) -> None:
    """Warn of a restriction that needs what no client is asked for."""
    if not transaction.policy.settings.smtpd_tls_ask_ccert:
        log.warning(f'{name} is requested, but "smtpd_tls_ask_ccert = no"')


@dataclass(frozen=True, slots=True)
class _Search:
    """What check_ccert_access makes of its argument."""

    table: Table
    order: tuple[str, ...]
    """Names of _KEYS."""


_KEYS: Final[dict[str, tuple[str, Callable[[PeerCertificate], str]]]] = {
    "cert_fingerprint": ("certificate fingerprints", lambda certificate: certificate.fingerprint),
    "pubkey_fingerprint": ("public key fingerprints", lambda certificate: certificate.key_fingerprint),
}
"""What a search order may name: what the log calls it, and how to get it."""
_USUAL: Final = tuple(_KEYS)
_CERTIFICATE: Final = Stage(
    "client", "Client certificate", lambda transaction: transaction.client.log_name, "check_client_access"
)


def open_certificate_table(policy: AccessPolicy, check: Check) -> None:
    """Open the table that the argument names, ``type:name`` or ``{ type:name, { search_order = ... } }``."""
    check.logs_itself = True
    reference, order = check.argument, _USUAL
    if reference.startswith("{"):
        try:
            reference, order = _described(check.argument)
        except ValueError as error:
            log.warning(str(error))
            return
    if ":" not in reference:
        check.argument = check.argument or check.name
        return
    check.table = _Search(open_or_unavailable(reference, policy.snapshot), order)


def _described(argument: str) -> tuple[str, tuple[str, ...]]:
    """Read a table with attributes.  Raises ValueError with the line of the log that says what is wrong."""
    order = _USUAL
    parts = split_words(unbrace(argument))
    if not parts:
        raise ValueError(f"empty map definition in '{argument}'")
    for part in parts[1:]:
        name, equals, value = (unbrace(part) if part.startswith("{") else part).strip().partition("=")
        if not equals:
            raise ValueError(f"malformed map attribute in '{argument}': 'missing '=' after attribute name'")
        if name.strip() != "search_order":
            raise ValueError(f"unknown map attribute in '{argument}': '{name.strip()}'")
        words = value.replace(",", " ").split()
        for word in words:
            if word.lower() not in _KEYS:
                raise ValueError(f"unknown search type '{word}' in '{argument}'")
        order = tuple(word.lower() for word in words)
    return parts[0], order


async def check_ccert_access(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Look up the fingerprints of the client's certificate and of its public key."""
    found = check.table
    if not isinstance(found, _Search):
        log.warning(f"See earlier parsing error messages for '{check.argument}")
        return MISCONFIGURED
    certificate = transaction.tls.certificate if transaction.tls is not None else None
    if certificate is None:
        _say_none_asked(transaction, check.name)
        return DUNNO
    keys = _keys(transaction, certificate, found.order)
    return await search(transaction, _CERTIFICATE, found.table, keys, certificate.common_name) or DUNNO


def _keys(transaction: Transaction, certificate: PeerCertificate, order: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    for name in order:
        what, of = _KEYS[name]
        transaction.policy.old.tell_digest(what)
        yield of(certificate), True
