"""What is added to or changed in refusals before they leave.

Source: postconf(5) soft_bounce, smtpd_reject_footer, smtpd_reject_footer_maps, smtpd_reject_filter_maps.
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

_REPLY: Final = re.compile(r"[45][0-9][0-9] ")
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
    return with_footer(reply, _expanded(session, footer)) if footer else reply


def _softened(codes: re.Match[str]) -> str:
    return f"4{codes[1]}4{codes[2]}" if codes[2] else f"4{codes[1]}"


def _filtered(session: Session, reply: str) -> str:
    try:
        found = session.server.reject_filter.find_now(reply)
    except TableError:
        return reply
    if found is None:
        return reply
    if _REPLY.match(found) is None:
        log.warning(f"smtpd_reject_filter_maps: bad reply: {found}")
        return reply
    return found


def _expanded(session: Session, text: str) -> str:
    def value(name: str, _conditional: bool) -> str | None:
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
            case "helo_name":
                return transaction.helo_name or ""
            case "sender":
                return transaction.sender or ""
            case "recipient":
                return transaction.recipient or ""
            case "server_address":
                return client.server_address
            case "server_name":
                return session.server.hostname
            case "server_port":
                return client.server_port
            case "localtime":
                return time.strftime("%b %d %H:%M:%S")
            case "mail_name":
                return session.settings.mail_name
        return None

    try:
        return expand(text, value)
    except MacroError as error:
        log.warning(f"smtpd_reject_footer: {error}")
        return text
