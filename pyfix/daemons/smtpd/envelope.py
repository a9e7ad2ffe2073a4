"""MAIL and RCPT.

Source: RFC 5321 sections 4.1.1.2 and 4.1.1.3; RFC 3461; RFC 6531.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pyfix.access.client_context import rewrites_locally
from pyfix.access.evaluate import refuse
from pyfix.access.judge import judge_recipient, judge_sender
from pyfix.access.transaction import LookupFailed
from pyfix.access.verdict import Reject
from pyfix.daemons.smtpd import limits, message, proxyfilter
from pyfix.daemons.smtpd.rights import may_verp
from pyfix.formats import probesender
from pyfix.formats.textforms import printable
from pyfix.protocols.internal.rewrite import ERROR
from pyfix.protocols.smtp.command import CommandError, Word
from pyfix.protocols.smtp.parameters import (
    MailParameters,
    RcptParameters,
    parse_rcpt_parameters,
    take_less_usual,
    take_usual,
)
from pyfix.protocols.smtp.path import parse_path
from pyfix.queue.freespace import MESSAGE_FACTOR, free_bytes
from pyfix.runtime.log import log
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session

__all__ = ["address_of", "lacks_smtputf8", "mail", "rcpt"]

_MAIL_SYNTAX: Final = "501 5.5.4 Syntax: MAIL FROM:<address>"
_RCPT_SYNTAX: Final = "501 5.5.4 Syntax: RCPT TO:<address>"
_BAD_SENDER: Final = "501 5.1.7 Bad sender address syntax"
_BAD_RECIPIENT: Final = "501 5.1.3 Bad recipient address syntax"
_DECLARE_UTF8: Final = "553 5.6.7 Must declare SMTPUTF8 to send unicode address"
_NO_PARAMETERS: Final = RcptParameters()


async def address_of(session: Session, word: str, verb: str, *, empty: bool, utf8: bool) -> str | None:
    """Return the address of a path in internal form; None, with a warning in the log, when it is not a usable one.

    One that can't be resolved for the moment is usable here; the restrictions will meet it again.
    """
    address = parse_path(word, strict=session.settings.strict_rfc821_envelopes and verb != "VRFY")
    if address is not None and (address or empty):
        if not address or session.server.stand_alone:
            return address
        transaction = session.transaction
        domain = address.rpartition("@")[2] if "@" in address else ""
        if domain.isascii() or utf8 or not session.server.utf8:
            resolver = session.server.resolver
            sender = transaction.sender or "" if verb != "MAIL" else ""
            reply = resolver.remembered(sender, address)
            if reply is None:
                try:
                    reply = await transaction.resolve(address)
                except LookupFailed:
                    return address
            if not reply.resolve_flags & ERROR:
                return address
    log.warning(f"Illegal address syntax from {session.client.log_name} in {verb} command: {printable(word)}")
    return None


async def mail(session: Session, words: list[Word], line: str) -> bool:
    """MAIL: begin a transaction."""
    transaction = session.transaction
    settings = session.settings
    if transaction.helo_name is None and settings.smtpd_helo_required:
        session.reply("503 5.5.1 Error: send HELO/EHLO first")
        return False
    if transaction.sender is not None:
        # The reference has forgotten some of what the first MAIL declared by the time it sees that there was one.
        session.mail = replace(session.mail, smtputf8=False, encoding="", ret=0)
        transaction.smtputf8 = False
        session.reply("503 5.5.1 Error: nested MAIL command")
        return False
    if session.chunks is not None:
        session.reply("503 5.5.1 Error: MAIL after BDAT")
        return False
    if len(words) < 3 or words[1].text.lower() != "from:":
        session.reply(_MAIL_SYNTAX)
        return False
    path = words[2]
    if path.unbalanced:
        session.reply(_BAD_SENDER)
        return False
    if session.counted and not await limits.may_send_message(session):
        return False
    utf8 = len(words) > 3 and session.takes_smtputf8 and any(word.text.upper() == "SMTPUTF8" for word in words[3:])
    found = MailParameters()
    found.auth = transaction.sasl_sender
    try:
        sender = await address_of(session, path.text, "MAIL", empty=True, utf8=utf8)
        if sender is None:
            session.reply(_BAD_SENDER)
            return False
        if len(words) > 3:
            await _read_parameters(session, words, found)
    except CommandError as error:
        session.reply(error.reply)
        return False
    finally:
        transaction.sasl_sender = found.auth
        if found.size is not None:
            transaction.size = found.size
    if not _there_is_room(session):
        return False
    transaction.sender = sender
    transaction.smtputf8 = found.smtputf8
    if not _is_small_enough(session):
        transaction.forget_mail()
        return False
    if found.verp is not None and not sender:
        session.reply("503 5.5.4 Error: XVERP requires non-null sender")
        transaction.forget_mail()
        return False
    if not session.server.stand_alone and not await _finds_context(session):
        return False
    if not settings.smtpd_delay_reject and not session.server.stand_alone:
        refusal = await judge_sender(transaction)
        if refusal is not None:
            session.refuse(refusal)
            transaction.forget_mail()
            transaction.sasl_sender = None
            return False
    if lacks_smtputf8(session, sender, declared=found.smtputf8):
        transaction.forget_mail()
        session.reply(_DECLARE_UTF8)
        return False
    if session.milters is not None:
        refusal_reply = await session.milters.mail([word.text for word in words[2:]])
        if refusal_reply:
            session.forget_mail()
            session.reply(refusal_reply)
            return False
    if not sender.isascii():
        session.server.policy.old.tell_utf8("sender", sender, session.client.log_name)
    session.mail = found
    session.arrival = transaction.began = time.time()
    session.mail_line = line
    if not settings.smtpd_delay_open_until_valid_rcpt:
        if not await message.opened(session):
            transaction.forget_mail()
            return False
        message.introduce(session)
    session.reply("250 2.1.0 Ok")
    return True


async def _read_parameters(session: Session, words: list[Word], found: MailParameters) -> None:
    """Raises CommandError."""
    dsn = "dsn" not in session.discarded
    for word in words[3:]:
        if not take_usual(found, word, smtputf8=session.takes_smtputf8, requiretls=session.takes_requiretls):
            # Whether the client may say XVERP is asked for each of these, as Postfix does.
            verp_filter = session.settings.verp_delimiter_filter if await may_verp(session) else None
            take_less_usual(found, word, dsn=dsn, verp_filter=verp_filter)


def lacks_smtputf8(session: Session, address: str, *, declared: bool) -> bool:
    """Say whether strict_smtputf8 refuses a Unicode address, because the client did not say SMTPUTF8."""
    return not declared and not address.isascii() and session.settings.strict_smtputf8


def _there_is_room(session: Session) -> bool:
    if session.server.stand_alone:
        return True
    try:
        room = session.server.has_room()
    except OSError as error:
        log.warning(f"statvfs .: {error.strerror}")
        return True
    if not room:
        session.refuse(refuse(session.transaction, Reject(452, "4.3.1", "Insufficient system storage", "resource")))
        log.warning(f"not enough free space in mail queue: {free_bytes()} bytes < {MESSAGE_FACTOR}*message size limit")
    return room


async def _finds_context(session: Session) -> bool:
    """Find out whether the client's headers are rewritten as local ones; refuse MAIL when nobody can tell."""
    transaction = session.transaction
    try:
        session.rewrites_locally = await rewrites_locally(transaction)
    except TableError:
        transaction.forget_mail()
        session.refuse(refuse(transaction, Reject(451, "4.3.0", "Temporary lookup error", "data")))
        return False
    return True


def _is_small_enough(session: Session) -> bool:
    """Check the size that the client announced; what it announced in a MAIL that was refused still counts."""
    limit = session.server.size_limit
    if 0 < limit < session.transaction.size:
        session.refuse(refuse(session.transaction, Reject(552, "5.3.4", "Message size exceeds fixed limit", "policy")))
        return False
    return True


def _own_probe_sender(session: Session, recipient: str) -> str | None:
    if session.server.stand_alone or not recipient.lower().startswith(session.server.probe_prefix):
        return None
    settings = session.settings
    return probesender.recognised(
        recipient,
        settings.address_verify_sender,
        settings.myorigin,
        settings.address_verify_sender_ttl,
        time.time(),
    )


async def rcpt(session: Session, words: list[Word], line: str) -> bool:
    """RCPT: name a recipient."""
    transaction = session.transaction
    settings = session.settings
    if transaction.sender is None:
        session.reply("503 5.5.1 Error: need MAIL command")
        return False
    if session.chunks is not None:
        session.reply("503 5.5.1 Error: RCPT after BDAT")
        return False
    if len(words) < 3 or words[1].text.lower() != "to:":
        session.reply(_RCPT_SYNTAX)
        return False
    path = words[2]
    if path.unbalanced:
        session.reply(_BAD_RECIPIENT)
        return False
    if session.counted and not await limits.may_name_recipient(session):
        return False
    try:
        recipient = await address_of(session, path.text, "RCPT", empty=False, utf8=session.mail.smtputf8)
        if recipient is None:
            session.reply(_BAD_RECIPIENT)
            return False
        found = _NO_PARAMETERS
        if len(words) > 3:
            found = parse_rcpt_parameters(words[3:], dsn="dsn" not in session.discarded)
    except CommandError as error:
        if error.warning:
            log.warning(printable(error.warning))
        session.reply(error.reply)
        return False
    if lacks_smtputf8(session, recipient, declared=session.mail.smtputf8):
        session.reply(_DECLARE_UTF8)
        return False
    if not recipient.isascii():
        session.server.policy.old.tell_utf8("recipient", recipient, session.client.log_name)
    if transaction.accepted >= settings.smtpd_recipient_limit:
        session.recipients_seen += 1
        session.reply("452 4.5.3 Error: too many recipients")
        # A few more are an honest client's; their number is an error only above the overshoot limit.
        return session.recipients_seen <= settings.smtpd_recipient_overshoot_limit
    before = transaction.recipient
    transaction.recipient = recipient
    probed = _own_probe_sender(session, recipient)
    if probed is not None:
        # Another site verifies our probe's sender: to verify its sender in turn would have no end.
        recipient = probed
    elif not session.server.stand_alone:
        refusal = await judge_recipient(transaction)
        if refusal is not None:
            if session.milters is not None:
                await session.milters.rcpt([word.text for word in words[2:]], refusal)
            transaction.recipient = before
            session.refuse(refusal)
            return False
    if session.milters is not None and (reply := await session.milters.rcpt([word.text for word in words[2:]], None)):
        transaction.recipient = before
        session.reply(reply)
        return False
    is_first = session.message is None
    if is_first and not await message.opened(session):
        transaction.recipient = before
        return False
    if session.server.proxy is not None:
        if is_first:
            message.introduce(session)
            is_first = False
        if not await proxyfilter.forward_recipient(session, line):
            transaction.recipient = before
            return False
    transaction.accepted += 1
    if before is not None:
        transaction.recipient = before  # the log shows the first
    session.reply("250 2.1.5 Ok")
    # The client need not wait for what no reply depends on.
    session.send_early()
    if is_first:
        message.introduce(session)
    message.add_recipient(session, recipient, path.text, found)
    return True
