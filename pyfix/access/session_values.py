"""What ``$client_name`` and the like stand for in texts that clients get.

Source: postconf(5) default_rbl_reply, rbl_reply_maps, smtpd_reject_footer, smtpd_expansion_filter.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

from pyfix.access.transaction import Transaction
from pyfix.formats.macros import MacroError, expand
from pyfix.formats.textforms import unescape
from pyfix.runtime.log import log

__all__ = ["expanded", "unwanted_bytes"]

_PART: Final = {"": 0, "_name": 1, "_domain": 2}


def unwanted_bytes(wanted: str) -> re.Pattern[bytes]:
    """Return an expression for bytes that are not in *wanted*, the value of smtpd_expansion_filter with its escapes."""
    kept = unescape(wanted)
    return re.compile(b"[^" + re.escape(kept) + b"]") if kept else re.compile(b"(?s:.)")


def expanded(
    transaction: Transaction, text: str, more: Callable[[str], str | None] | None = None, *, strict: bool = False
) -> str:
    """Return *text* with the values of the session in it, less the characters that must not come from a client.

    *more* knows other names, which come first.  Raises MacroError; with *strict* also, and without a text, for a name
    that nobody knows, of which the log is told in any case.
    """
    unknown: list[str] = []
    unwanted = transaction.policy.unwanted_in_replies

    def value(name: str, conditional: bool) -> str | None:
        found = more(name) if more is not None else None
        if found is None:
            found = _value(transaction, name)
        if found is None:
            log.warning(f'unknown macro name "{name}" in expansion request')
            unknown.append(name)
            return None
        if conditional or unwanted.search(raw := found.encode("utf-8", "surrogateescape")) is None:
            return found
        return unwanted.sub(b"_", raw).decode("utf-8", "surrogateescape")

    result = expand(text, value)
    if unknown and strict:
        raise MacroError("")
    return result


def _value(transaction: Transaction, name: str) -> str | None:
    client = transaction.client
    match name:
        case "client":
            return client.log_name
        case "client_address":
            return client.address
        case "client_name":
            return client.name
        case "client_port":
            return client.port
        case "reverse_client_name":
            return client.reverse_name
        case "helo_name":
            return transaction.helo_name or ""
        case "server_name":
            return transaction.policy.settings.myhostname
        case "localtime":
            return time.strftime("%b %d %H:%M:%S")
    if name.startswith("sender"):
        return _address(transaction.sender, name.removeprefix("sender"))
    if name.startswith("recipient"):
        return _address(transaction.recipient, name.removeprefix("recipient"))
    return None


def _address(address: str | None, part: str) -> str | None:
    """Return an envelope address, its localpart or its domain."""
    if part not in _PART:
        return None
    if address is None:
        return ""
    if not address:
        return "" if part == "_domain" else "<>"
    localpart, at, domain = address.rpartition("@")
    if not at:
        localpart, domain = domain, ""
    return (address, localpart, domain)[_PART[part]]
