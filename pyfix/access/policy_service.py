"""check_policy_service: let a program of the site decide.

Source: SMTPD_POLICY_README; postconf(5) check_policy_service, smtpd_policy_service_default_action and its neighbours.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pyfix.access.actions import act
from pyfix.access.evaluate import MISCONFIGURED, Check
from pyfix.access.stage import Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, Verdict
from pyfix.config.catalogue import find
from pyfix.config.errors import ConfigError
from pyfix.config.main_cf import split_assignment
from pyfix.config.master_cf import strip_braces
from pyfix.config.parameter import split_words
from pyfix.formats.textforms import xtext_encode
from pyfix.protocols.policy import encode_request
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.tables.endpoint import endpoint
from pyfix.tables.table import Opening, TableError, valid_text

if TYPE_CHECKING:
    from pyfix.access.policy import AccessPolicy
    from pyfix.clients.policy_service import PolicyService

__all__ = ["check_policy_service", "open_policy_service"]

_KEY: Final = "policy query"
_PREFIX: Final = "smtpd_policy_service_"
_NUMBERS: Final = ("timeout", "max_idle", "max_ttl", "request_limit", "try_limit", "retry_delay")
_TEXTS: Final = ("default_action", "policy_context")
_STATES: Final = {"BDAT": "DATA"}
_NOT_ENCRYPTED: Final = (
    ("ccert_subject", ""),
    ("ccert_issuer", ""),
    ("ccert_fingerprint", ""),
    ("ccert_pubkey_fingerprint", ""),
    ("encryption_protocol", ""),
    ("encryption_cipher", ""),
    ("encryption_keysize", 0),
)
_sequence = itertools.count()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A service as one restriction asks it."""

    reference: str
    """``inet:127.0.0.1:10023``, or all that stands in braces."""
    service: PolicyService
    default_action: str
    ending: tuple[tuple[str, str], ...]
    """The last attributes, which are always the same."""


def open_policy_service(policy: AccessPolicy, check: Check) -> None:
    """Read the argument: a service, or in braces a service and settings for it.

    Raises ConfigError.  Restrictions with the same argument share their connections.
    """
    check.logs_itself = True
    if not check.argument:
        return
    asked = policy.services.get(check.argument)
    if asked is None:
        asked = policy.services[check.argument] = _opened(policy, check.argument)
    check.table = asked


def _opened(policy: AccessPolicy, argument: str) -> _Asked:
    from pyfix.clients.policy_service import PolicyService, PolicyServiceSettings  # few lists ask one

    reference, own = _parts(argument)
    values: dict[str, Any] = {}
    for name in (*_NUMBERS, *_TEXTS):
        if name in own:
            values[name] = _own_value(policy, name, own[name])
        else:
            values[name] = getattr(policy.settings, _PREFIX + name)
    try:
        where, shown = endpoint(reference, Opening(policy.snapshot))
    except TableError as error:
        raise ConfigError(str(error)) from None
    settings = PolicyServiceSettings(**{name: values[name] for name in _NUMBERS})
    ending = (
        ("policy_context", str(values["policy_context"])),
        ("compatibility_level", policy.snapshot.value("compatibility_level")),
        ("mail_version", policy.snapshot.value("mail_version")),
    )
    return _Asked(argument, PolicyService(shown, where, settings), str(values["default_action"]), ending)


def _own_value(policy: AccessPolicy, name: str, text: str) -> object:
    """Return the value of a setting of one service, which has the range of the parameter for all."""
    declaration = find(_PREFIX + name)
    assert declaration is not None
    try:
        return declaration.convert(text, policy.snapshot)
    except ConfigError as error:
        raise ConfigError(str(error).replace("parameter " + _PREFIX, "").replace(_PREFIX, "")) from None


def _parts(argument: str) -> tuple[str, dict[str, str]]:
    """Return the service and its own settings.  Raises ConfigError."""
    if not argument.startswith("{"):
        return argument, {}
    try:
        words = split_words(strip_braces(argument))
    except ConfigError:
        inside = argument[1:].rpartition("}")[0] or argument[1:]
        raise ConfigError(f"policy service syntax error: {inside}") from None
    if not words:
        raise ConfigError(f'empty policy service: "{argument}"')
    own: dict[str, str] = {}
    for word in words[1:]:
        assignment = split_assignment(strip_braces(word))
        if isinstance(assignment, str):
            raise ConfigError(f'malformed option: {assignment}: "...{word}..."')
        name, value = assignment
        if name not in (*_NUMBERS, *_TEXTS):
            raise ConfigError(f'unknown option: "{name} = {value}"')
        own[name] = value
    return words[0], own


async def check_policy_service(transaction: Transaction, stage: Stage, check: Check) -> Verdict:
    """Tell the service all that is known of the request, and do what it says."""
    asked = check.table
    if not isinstance(asked, _Asked):
        log.warning(f"restriction {check.name} must be followed by transport:server")
        return MISCONFIGURED
    reference = asked.reference
    try:
        action = await asked.service.ask(encode_request((*_attributes(transaction), *asked.ending)))
    except ServiceError:
        action = asked.default_action
    if not valid_text(action) and transaction.policy.settings.smtputf8_enable:
        log.warning(f'malformed UTF-8 in policy server {reference} response: "{action}"')
        action = asked.default_action
    if not action:
        log.warning(f"access table {reference} entry  has empty value")
        return DUNNO
    return await act(transaction, stage, reference, _KEY, action, stage.subject(transaction))


def _attributes(transaction: Transaction) -> tuple[tuple[str, object], ...]:
    client = transaction.client
    many = transaction.where in ("DATA", "BDAT", "END-OF-MESSAGE")
    return (
        ("request", "smtpd_access_policy"),
        ("protocol_state", _STATES.get(transaction.where, transaction.where)),
        ("protocol_name", transaction.protocol),
        ("client_address", client.address),
        ("client_name", client.name),
        ("client_port", client.port),
        ("reverse_client_name", client.reverse_name),
        ("server_address", client.server_address),
        ("server_port", client.server_port),
        ("helo_name", transaction.helo_name or ""),
        ("sender", transaction.sender or ""),
        ("recipient", transaction.recipient or ""),
        ("recipient_count", transaction.accepted if many else 0),
        ("queue_id", transaction.queue_id),
        ("instance", _instance(transaction)),
        ("size", transaction.size),
        ("etrn_domain", transaction.etrn_domain),
        ("stress", transaction.policy.stress),
        ("sasl_method", transaction.sasl_method),
        ("sasl_username", transaction.sasl_username),
        ("sasl_sender", transaction.sasl_sender or ""),
        *_encryption(transaction),
    )


def _encryption(transaction: Transaction) -> tuple[tuple[str, object], ...]:
    """Return what is known of TLS.  Names are those of a certificate that an authority of ours vouches for."""
    tls = transaction.tls
    if tls is None:
        return _NOT_ENCRYPTED
    certificate = tls.certificate
    if certificate is not None:
        transaction.policy.old.tell_digest("certificate and public key fingerprints")
    named = certificate if tls.trusted else None
    return (
        ("ccert_subject", xtext_encode(named.common_name) if named else ""),
        ("ccert_issuer", xtext_encode(named.issuer_name) if named else ""),
        ("ccert_fingerprint", certificate.fingerprint if certificate else ""),
        ("ccert_pubkey_fingerprint", certificate.key_fingerprint if certificate else ""),
        ("encryption_protocol", tls.protocol),
        ("encryption_cipher", tls.cipher),
        ("encryption_keysize", tls.used_bits),
    )


def _instance(transaction: Transaction) -> str:
    """Return what tells this message from all others; nothing before MAIL was accepted."""
    if transaction.began and not transaction.instance:
        seconds = int(transaction.began)
        micros = int((transaction.began - seconds) * 1e6)
        transaction.instance = f"{os.getpid():x}.{seconds:x}.{micros:x}.{next(_sequence):x}"
    return transaction.instance
