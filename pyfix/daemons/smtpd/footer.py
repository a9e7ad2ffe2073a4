"""What is added to or changed in refusals before they leave.

Source: postconf(5) soft_bounce, smtpd_reject_footer, smtpd_reject_footer_maps, smtpd_reject_filter_maps,
smtpd_expansion_filter.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from pyfix.formats.macros import MacroError, expand
from pyfix.protocols.smtp.reply import with_footer
from pyfix.runtime.log import log
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session

__all__ = ["finished_reply"]

_REPLY: Final = re.compile(r"(?:4[0-9][0-9] (?![25]\.[0-9]+\.[0-9]+)|5[0-9][0-9] (?![24]\.[0-9]+\.[0-9]+))")
"""A refusal whose enhanced status code, if it has one, is of its class."""
_CODES: Final = re.compile(r"\A5([0-9][0-9][ -])(?:5(\.[0-9]+\.[0-9]+))?")


def finished_reply(session: Session, reply: str) -> str:
    """Return a 4xx or 5xx reply as the client gets it."""
    server = session.server
    if session.settings.soft_bounce and reply.startswith("5"):
        reply = "\n".join([_CODES.sub(_softened, line) for line in reply.split("\n")])
    if server.has_reject_filter:
        reply = _filtered(session, reply)
    footer = session.settings.smtpd_reject_footer
    if server.has_footer_maps:
        try:
            footer = server.footer_maps.find_now(reply) or footer
        except TableError:
            pass  # it is in the log already
    if not footer or (text := _expanded(session, footer)) is None:
        return reply
    return with_footer(reply, text)


def _softened(codes: re.Match[str]) -> str:
    return f"4{codes[1]}4{codes[2]}" if codes[2] else f"4{codes[1]}"


def _filtered(session: Session, reply: str) -> str:
    try:
        found = session.server.reject_filter.find_now(reply)
    except TableError:
        return reply
    if found is None:
        return reply
    queue_id = session.transaction.queue_id or "NOQUEUE"
    if _REPLY.match(found) is None:
        log.warning(f"{queue_id}: ignoring invalid reject filter result: {found}")
        return reply
    log.info(f"{queue_id}: reply filter in: {reply}")
    log.info(f"{queue_id}: reply filter out: {found}")
    return found


def _expanded(session: Session, text: str) -> str | None:
    """Return a footer with the values of the session in it, None for one that is malformed."""
    unwanted = session.server.unwanted_in_replies

    def value(name: str, conditional: bool) -> str | None:
        found = _value(session, name)
        if found is None:
            log.warning(f'unknown macro name "{name}" in expansion request')
            return None
        if conditional or unwanted.search(raw := found.encode("utf-8", "surrogateescape")) is None:
            return found
        return unwanted.sub(b"_", raw).decode("utf-8", "surrogateescape")

    try:
        return expand(text, value)
    except MacroError as error:
        log.warning(str(error))
        return None


def _value(session: Session, name: str) -> str | None:
    transaction = session.transaction
    client = session.client
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
        case "sender":
            return transaction.sender or ""
        case "recipient":
            return transaction.recipient or ""
        case "server_name":
            return session.server.hostname
        case "localtime":
            return time.strftime("%b %d %H:%M:%S")
    return None
