"""DATA, and the end of any message.

Source: RFC 5321 section 4.1.1.4; postconf(5) message_size_limit,
smtpd_forbid_bare_newline.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pyfix.access.judge import judge_data, judge_end_of_data
from pyfix.daemons.smtpd import message, proxyfilter
from pyfix.formats.status import CONTENT, DEFER, HOPS, SIZE, WRITE, cleanup_detail
from pyfix.protocols.smtp.command import Word
from pyfix.protocols.smtp.data import DataDecoder
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session

__all__ = ["TOO_BIG", "WRITE_ERROR", "data", "finish", "nobody_wants_it", "problem_class"]

TOO_BIG: Final = "552 5.3.4 Error: message file too big"
WRITE_ERROR: Final = "451 4.3.0 Error: queue file write error"
_NEED_RCPT: Final = "503 5.5.1 Error: need RCPT command"
_NO_RECIPIENTS: Final = "554 5.5.1 Error: no valid recipients"
_REASON: Final = re.compile(r"[245][0-9][0-9][ -]")


async def data(session: Session, words: list[Word], _line: str) -> bool:
    """DATA: take the content up to the final dot."""
    transaction = session.transaction
    if session.chunks is not None:
        session.reply("503 5.5.1 Error: DATA after BDAT")
        return False
    if not transaction.accepted:
        session.reply(nobody_wants_it(session))
        return False
    if len(words) != 1:
        session.reply("501 5.5.4 Syntax: DATA")
        return False
    if transaction.policy.data and not session.server.stand_alone:
        refusal = await judge_data(transaction)
        if refusal is not None:
            session.refuse(refusal)
            return False
    if session.milters is not None and (reply := await message.shown_to_milters(session, session.milters)):
        session.reply(reply)
        return False
    if session.server.proxy is not None and (reply := await proxyfilter.begun(session)):
        session.reply(reply)
        return False
    session.reply("354 End data with <CR><LF>.<CR><LF>")
    session.send_early()
    message.begin_content(session)
    return await _take_data(session)


async def _take_data(session: Session) -> bool:
    new = session.message
    assert new is not None
    limit = session.server.size_limit
    decoder = DataDecoder(
        session.server.line_limit,
        strict=session.newline_mode != "no",
        reject=session.newline_mode == "reject",
    )
    problem = ""
    session.start_deadline()
    session.where_detail = " (0 bytes)"
    while True:
        if not session.buffer:
            await session.read_more()
        received, session.buffer = session.buffer, b""
        session.extend_deadline(len(received))
        records = decoder.feed(received)
        if decoder.size > limit > 0 and not problem:
            log.warning(f"{new.queue_id}: queue file size limit exceeded")
            problem = TOO_BIG
        if records and not problem:
            new.write(records)
            try:
                await new.relieve()
            except ServiceError as error:
                log.warning(f"{new.queue_id}: write to cleanup service: {error}")
                problem = WRITE_ERROR
        if decoder.ended:
            break
        session.where_detail = f" ({decoder.size} bytes)"
        if decoder.bare_newline:
            session.bare_newline_seen = True
    session.stream.until = 0.0
    session.buffer = decoder.rest
    if decoder.bare_newline:
        session.bare_newline_seen = True
    session.transaction.size = decoder.size
    return await finish(session, problem, decoder.bare_newline, "")


async def finish(session: Session, problem: str, bare_newline: bool, size: str) -> bool:
    """Ask the last restrictions, finish the message and reply; tell whether it was accepted.

    *problem*: a reply that refuses the message, or nothing.  *size*: what the reply says of it, for BDAT.
    """
    transaction = session.transaction
    new = session.message
    assert new is not None
    transaction.where = "END-OF-MESSAGE"
    session.where_detail = ""
    done = False
    if not problem and bare_newline and session.newline_mode == "reject":
        transaction.log_action("reject", "bare <LF> received")
        code = session.settings.smtpd_forbid_bare_newline_reject_code
        problem = f"{code} 5.5.2 {session.server.hostname} Error: bare <LF> received"
    if problem:
        session.blame(problem_class(problem))
        session.reply(problem)
    else:
        refusal = None
        if transaction.policy.end_of_data and not session.server.stand_alone:
            if session.server.proxy is not None:
                await proxyfilter.hand_content_on(session)
            refusal = await judge_end_of_data(transaction)
        if refusal is not None:
            session.refuse(refusal)
        else:
            done = await _submit(session, size)
    session.reset()
    return done


def nobody_wants_it(session: Session) -> str:
    """Return the reply to content without a recipient, which after MAIL is no error of protocol."""
    if session.transaction.sender is None:
        return _NEED_RCPT
    session.refused = True
    return _NO_RECIPIENTS


def problem_class(problem: str) -> str:
    """Return the class of notify_classes to which a problem of the content belongs."""
    return "bounce" if problem == TOO_BIG else "resource" if problem == WRITE_ERROR else "protocol"


async def _submit(session: Session, size: str) -> bool:
    if session.server.proxy is not None:
        return await proxyfilter.submit(session)
    new = session.message
    assert new is not None
    message.end_content(session)
    session.message = None
    try:
        answer = await new.finish()
    except ServiceError as error:
        log.warning(f"{new.queue_id}: no answer from cleanup service: {error}")
        session.blame("resource")
        session.reply(WRITE_ERROR)
        return False
    if answer.status == 0:
        session.forgive()
        session.reply(f"250 2.0.0 Ok: {size}queued as {new.queue_id}")
        if not session.buffer:
            session.stream.send_early()
        return True
    if answer.reason and _REASON.match(answer.reason):
        session.blame("policy")
        session.reply(answer.reason.replace("\r\n", "\n"))
        return False
    session.blame(_notice_class(answer.status))
    detail = cleanup_detail(answer.status)
    if answer.reason and detail.bit in (DEFER, CONTENT):
        # What header_checks and body_checks say: with a code of its own.
        session.reply(f"{detail.smtp} {answer.reason}")
    else:
        session.reply(f"{detail.smtp} {detail.code} Error: {detail.text}")
    return False


def _notice_class(status: int) -> str:
    """Return the class of notify_classes to which cleanup's refusal belongs."""
    if status & DEFER:
        return "policy"
    if status & (SIZE | HOPS):
        return "bounce"
    if status & CONTENT:
        return "policy"
    return "resource" if status & WRITE else "software"
