"""What is added to or changed in refusals before they leave.

Source: postconf(5) soft_bounce, smtpd_reject_footer, smtpd_reject_footer_maps, smtpd_reject_filter_maps,
smtpd_expansion_filter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pyfix.access.session_values import expanded
from pyfix.formats.macros import MacroError
from pyfix.protocols.smtp.reply import with_footer
from pyfix.runtime.log import log
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.access.transaction import Transaction
    from pyfix.daemons.smtpd.server import Server
    from pyfix.daemons.smtpd.state import SessionState

__all__ = ["finished_reply", "late_reply"]

_REPLY: Final = re.compile(r"(?:4[0-9][0-9] (?![25]\.[0-9]+\.[0-9]+)|5[0-9][0-9] (?![24]\.[0-9]+\.[0-9]+))")
"""A refusal whose enhanced status code, if it has one, is of its class."""
_CODES: Final = re.compile(r"\A5([0-9][0-9][ -])(?:5(\.[0-9]+\.[0-9]+))?")


def finished_reply(session: SessionState, reply: str) -> str:
    """Return a 4xx or 5xx reply as the client gets it, by tables that answer at once."""
    server, transaction = session.server, session.transaction
    reply = _soft(server, reply)
    if server.has_reject_filter:
        try:
            reply = _filtered(transaction, reply, server.reject_filter.find_now(reply))
        except TableError:
            pass  # it is in the log already
    footer = None
    if server.has_footer_maps:
        try:
            footer = server.footer_maps.find_now(reply)
        except TableError:
            pass
    return _with_footer(server, transaction, reply, footer)


async def late_reply(server: Server, transaction: Transaction, reply: str) -> str:
    """Do as finished_reply(), with tables that may wait; *transaction* as it was when the reply was given."""
    reply = _soft(server, reply)
    try:
        reply = _filtered(transaction, reply, await server.reject_filter.find(reply))
    except TableError:
        pass  # it is in the log already
    footer = None
    try:
        footer = await server.footer_maps.find(reply)
    except TableError:
        pass
    return _with_footer(server, transaction, reply, footer)


def _soft(server: Server, reply: str) -> str:
    if server.settings.soft_bounce and reply.startswith("5"):
        return "\n".join([_CODES.sub(_softened, line) for line in reply.split("\n")])
    return reply


def _softened(codes: re.Match[str]) -> str:
    return f"4{codes[1]}4{codes[2]}" if codes[2] else f"4{codes[1]}"


def _filtered(transaction: Transaction, reply: str, found: str | None) -> str:
    """Return what smtpd_reject_filter_maps make of a reply; *found* is what they have."""
    if found is None:
        return reply
    queue_id = transaction.queue_id or "NOQUEUE"
    if _REPLY.match(found) is None:
        log.warning(f"{queue_id}: ignoring invalid reject filter result: {found}")
        return reply
    log.info(f"{queue_id}: reply filter in: {reply}")
    log.info(f"{queue_id}: reply filter out: {found}")
    return found


def _with_footer(server: Server, transaction: Transaction, reply: str, footer: str | None) -> str:
    """Return a reply with the footer that a table has for it, or else main.cf."""
    footer = footer or server.settings.smtpd_reject_footer
    if not footer or (text := _expanded(transaction, footer)) is None:
        return reply
    return with_footer(reply, text)


def _expanded(transaction: Transaction, text: str) -> str | None:
    """Return a footer with the values of the session in it, None for one that is malformed."""
    try:
        return expanded(transaction, text)
    except MacroError as error:
        log.warning(str(error))
        return None
