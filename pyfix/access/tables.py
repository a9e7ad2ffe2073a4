"""check_client_access and its kin: what access(5) tables say.

Source: access(5); postconf(5) check_client_access, check_helo_access, check_sender_access,
check_recipient_access, check_etrn_access, check_sasl_access, smtpd_null_access_lookup_key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pyfix.access.actions import act
from pyfix.access.evaluate import MISCONFIGURED, Check
from pyfix.access.stage import CLIENT, ETRN, HELO, RECIPIENT, REVERSE_CLIENT, SASL, SENDER, Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, Reject, Verdict
from pyfix.formats.address import split_address
from pyfix.formats.domain import is_hostaddr
from pyfix.formats.extension import strip_extension
from pyfix.runtime.log import log
from pyfix.tables.source import open_or_unavailable
from pyfix.tables.table import Table, TableError, fold

if TYPE_CHECKING:
    from pyfix.access.policy import AccessPolicy

_Key = tuple[str, bool]
"""What to look up, and whether it is a whole name or address, which pattern tables want to see."""


def open_access_table(policy: AccessPolicy, check: Check) -> None:
    """Open the table that the argument names; without one the restriction only complains."""
    check.logs_itself = True
    if ":" not in check.argument:
        check.argument = check.argument or check.name
        return
    check.table = open_or_unavailable(check.argument, policy.snapshot)


async def check_client_access(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Look up the client's name, its parent domains, its address and the networks of that."""
    client = transaction.client
    keys = [*domain_keys(client.name, transaction.policy.parent_style), *address_keys(client.address)]
    return await _search(transaction, CLIENT, check, keys, client.log_name)


async def check_reverse_client_hostname_access(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Do the same with the unverified name of the client's address."""
    client = transaction.client
    keys = [*domain_keys(client.reverse_name, transaction.policy.parent_style), *address_keys(client.address)]
    return await _search(transaction, REVERSE_CLIENT, check, keys, client.reverse_name)


async def check_helo_access(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Look up the name of HELO or EHLO, and its parent domains."""
    name = transaction.helo_name
    if name is None:
        return DUNNO
    return await _search(transaction, HELO, check, domain_keys(name, transaction.policy.parent_style), name)


async def check_etrn_access(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Look up the domain of ETRN, and its parent domains."""
    name = transaction.etrn_domain
    return await _search(transaction, ETRN, check, domain_keys(name, transaction.policy.parent_style), name)


async def check_sasl_access(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Look up whom the client has logged in as."""
    login = transaction.sasl_username
    if not transaction.policy.may_log_in("check_sasl_access") or not login:
        return DUNNO
    return await _search(transaction, SASL, check, [(login, True)], login)


async def check_sender_access(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Look up the sender, its domain and parent domains, and its localpart."""
    sender = transaction.sender
    if sender is None:
        return DUNNO
    if not sender:
        key = transaction.policy.settings.smtpd_null_access_lookup_key
        return await _search(transaction, SENDER, check, [(key, True)], sender)
    return await _mail_access(transaction, SENDER, check, sender)


async def check_recipient_access(transaction: Transaction, _stage: Stage, check: Check) -> Verdict:
    """Look up the recipient, its domain and parent domains, and its localpart."""
    recipient = transaction.recipient
    if recipient is None:
        return DUNNO
    return await _mail_access(transaction, RECIPIENT, check, recipient)


async def _mail_access(transaction: Transaction, stage: Stage, check: Check, address: str) -> Verdict:
    reply = await transaction.resolve(address)
    # Tables fold by themselves what is asked of them, but for those of patterns; an address is folded for these, too.
    resolved = fold(reply.recipient, transaction.policy.settings.smtputf8_enable)
    localpart, domain = split_address(resolved)
    if not domain:
        return DUNNO
    bare, extension = strip_extension(resolved, transaction.policy.recipient_delimiter)
    keys: list[_Key] = [(resolved, True)]
    if extension:
        keys.append((bare, False))
    keys += domain_keys(domain, transaction.policy.parent_style, whole=False)
    keys.append((f"{localpart}@", False))
    if extension:
        keys.append((bare[: bare.rindex("@") + 1], False))
    return await _search(transaction, stage, check, keys, address)


def domain_keys(domain: str, parent_style: bool, *, whole: bool = True) -> Iterator[_Key]:
    """Yield a domain and its parents, as they are looked up."""
    yield domain, whole
    if domain.startswith("[") or is_hostaddr(domain):
        return
    at = domain.find(".", 1)
    while at >= 0:
        yield domain[at + 1 :] if parent_style else domain[at:], False
        at = domain.find(".", at + 1)


def address_keys(address: str) -> Iterator[_Key]:
    """Yield an address and the networks around it, as they are looked up."""
    yield address, True
    separator = ":" if ":" in address else "."
    at = address.rfind(separator)
    while at > 0:
        address = address[:at]
        yield address, False
        at = address.rfind(separator)


_NO_TABLE: Final = 'restriction %s: bad argument "%s": need maptype:mapname'


async def _search(
    transaction: Transaction, stage: Stage, check: Check, keys: Iterator[_Key] | list[_Key], subject: str
) -> Verdict:
    """Look the keys up in turn; act on the first value."""
    return await look_up(transaction, stage, check, keys, subject) or DUNNO


async def look_up(
    transaction: Transaction, stage: Stage, check: Check, keys: Iterator[_Key] | list[_Key], subject: str
) -> Verdict | None:
    """Look the keys up in turn; act on the first value, and return None where there is none."""
    table = check.table
    if not isinstance(table, Table):
        log.warning(_NO_TABLE % (check.name, check.argument))
        return MISCONFIGURED
    return await search(transaction, stage, table, keys, subject)


async def search(
    transaction: Transaction, stage: Stage, table: Table, keys: Iterator[_Key] | list[_Key], subject: str
) -> Verdict | None:
    """Look the keys up in a table that is there; act on the first value, and return None where there is none."""
    pattern = table.pattern
    for key, whole in keys:
        if not key or (pattern and not whole):
            continue
        try:
            value = table.find_now(key) if table.local else await table.find(key)
        except TableError:
            log.warning(f'{table.name} lookup error for "{key[:100]}"')
            text = f"<{subject}>: {stage.label} rejected: Server configuration error"
            return Reject(451, "4.3.5", text, "software")
        if value is not None:
            transaction.entry = (table.name, key, value)
            return await act(transaction, stage, table.name, key, value, subject)
    return None
