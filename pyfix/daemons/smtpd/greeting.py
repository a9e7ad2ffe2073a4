"""HELO and EHLO.

Source: RFC 5321 section 4.1.1.1; postconf(5) smtpd_discard_ehlo_keywords.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pyfix.access.judge import judge_helo
from pyfix.daemons.smtpd import authentication
from pyfix.daemons.smtpd.rights import leave_for_lack_of_data, may_verp
from pyfix.formats.textforms import printable
from pyfix.protocols.smtp.clientinfo import XCLIENT_NAMES, XFORWARD_NAMES
from pyfix.protocols.smtp.command import Word
from pyfix.protocols.smtp.extensions import ALL_BUT_STATUS, SILENT, ehlo_reply, listed
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session

__all__ = ["ehlo", "helo"]

_NOT_IN_NAME: Final = re.compile(r"[\x00-\x20\x7f\"(),;<>@\\\udc80-\udcff]")


async def _introduced(session: Session, words: list[Word], verb: str) -> bool:
    """Take the name that the client gives itself; tell whether it may go on."""
    if len(words) < 2:
        session.reply(f"501 Syntax: {verb} hostname")
        return False
    transaction = session.transaction
    name = " ".join([word.text for word in words[1:]])
    earlier = transaction.helo_name
    if not session.settings.smtpd_delay_reject and not session.server.stand_alone:
        before = transaction.helo_name
        transaction.helo_name = name
        refusal = await judge_helo(transaction)
        if refusal is not None:
            transaction.helo_name = before
            session.refuse(refusal)
            return False
    if session.milters is not None:
        reply = await session.milters.helo(name)
        if reply.startswith("421"):
            session.reply(reply)
            return False
        if reply.startswith("5"):
            session.discarded = ALL_BUT_STATUS
        if earlier is not None:
            session.milters.abort()
    session.reset()
    if not name.isascii():
        name = printable(name, utf8=session.server.utf8)
    transaction.helo_name = _NOT_IN_NAME.sub("?", name)
    return True


async def helo(session: Session, words: list[Word], _line: str) -> bool:
    """HELO: plain SMTP; but a client that has said EHLO before may go on to send commands in groups."""
    if not await _introduced(session, words, "HELO"):
        return False
    session.reply(f"250 {session.server.hostname}")
    return True


async def ehlo(session: Session, words: list[Word], _line: str) -> bool:
    """EHLO: extended SMTP, and what we offer of it."""
    if not await _introduced(session, words, "EHLO"):
        return False
    session.transaction.protocol = "ESMTP"
    session.esmtp = True
    offers_verp = "verp" not in session.discarded and await may_verp(session)
    if session.unknown_rights:
        _leave_if_unsure(session)
    login = "" if session.login is None else await authentication.announced(session)
    encrypted = session.transaction.tls is not None
    key = (session.discarded, offers_verp, session.may_xclient, session.may_xforward, encrypted, login)
    reply = session.server.ehlo_replies.get(key)
    if reply is None or session.discarded:
        reply = session.server.ehlo_replies[key] = ehlo_reply(
            session.server.hostname, _offers(session, offers_verp, login)
        )
    session.reply(reply)
    return True


def _leave_if_unsure(session: Session) -> None:
    """End the session rather than offer too much or too little.  Raises SessionEnds."""
    for keyword in ("", "XVERP", "XCLIENT", "XFORWARD"):
        if keyword in session.unknown_rights and keyword.lower().replace("xverp", "verp") not in session.discarded:
            what = f"if EHLO feature {keyword} should be announced" if keyword else "what EHLO features to announce"
            leave_for_lack_of_data(session, f"don't know {what} to")


def _offers(session: Session, offers_verp: bool, login: str) -> list[str]:
    settings = session.settings
    limit = session.server.size_limit
    all_offers = [
        ("pipelining", "PIPELINING", True),
        ("size", f"SIZE {limit}" if limit else "SIZE", True),
        ("vrfy", "VRFY", not settings.disable_vrfy_command),
        ("etrn", "ETRN", True),
        ("starttls", "STARTTLS", session.server.encryption.offered and session.transaction.tls is None),
        ("auth", f"AUTH {login}", bool(login)),
        ("auth", f"AUTH={login}", bool(login) and settings.broken_sasl_auth_clients),
        ("verp", "XVERP", offers_verp),
        ("xclient", f"XCLIENT {' '.join(XCLIENT_NAMES)}", session.may_xclient),
        ("xforward", f"XFORWARD {' '.join(XFORWARD_NAMES)}", session.may_xforward),
        ("enhancedstatuscodes", "ENHANCEDSTATUSCODES", True),
        ("8bitmime", "8BITMIME", True),
        ("dsn", "DSN", True),
        ("smtputf8", "SMTPUTF8", session.server.utf8),
        ("chunking", "CHUNKING", True),
        ("requiretls", "REQUIRETLS", settings.requiretls_enable and session.transaction.tls is not None),
    ]
    hidden = session.discarded
    offers = [text for keyword, text, offered in all_offers if offered and keyword not in hidden]
    # Postfix says so where it offers enhanced status codes, and only if it does.
    if hidden and SILENT not in hidden and "enhancedstatuscodes" not in hidden:
        log.info(f"discarding EHLO keywords: {listed(hidden)}")
    return offers
