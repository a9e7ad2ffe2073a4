"""DATA and BDAT.

Source: RFC 5321 section 4.1.1.4; RFC 3030; postconf(5) message_size_limit,
smtpd_forbid_bare_newline.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pyfix.access.judge import judge_data, judge_end_of_data
from pyfix.daemons.smtpd import message
from pyfix.formats.status import cleanup_detail
from pyfix.protocols.smtp.command import Word
from pyfix.protocols.smtp.data import ChunkDecoder, DataDecoder
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session

__all__ = ["bdat", "data"]

_TOO_BIG: Final = "552 5.3.4 Error: message file too big"
_WRITE_ERROR: Final = "451 4.3.0 Error: queue file write error"
_BDAT_SYNTAX: Final = "521 5.5.4 Syntax: BDAT count [LAST]"
_NEED_RCPT: Final = "503 5.5.1 Error: need RCPT command"
_NO_RECIPIENTS: Final = "554 5.5.1 Error: no valid recipients"
_REASON: Final = re.compile(r"[245][0-9][0-9][ -]")
_MOST_CHUNK: Final = (1 << 63) - 1


async def data(session: Session, words: list[Word], _line: str) -> bool:
    """DATA: take the content up to the final dot."""
    transaction = session.transaction
    if isinstance(session.chunks, _Chunks):
        session.reply("503 5.5.1 Error: DATA after BDAT")
        return False
    if not transaction.accepted:
        session.reply(_NEED_RCPT if transaction.sender is None else _NO_RECIPIENTS)
        return False
    if len(words) != 1:
        session.reply("501 5.5.4 Syntax: DATA")
        return False
    if not session.server.stand_alone:
        refusal = await judge_data(transaction)
        if refusal is not None:
            session.refuse(refusal)
            return False
    message.begin_content(session)
    session.reply("354 End data with <CR><LF>.<CR><LF>")
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
            problem = _TOO_BIG
        if records and not problem:
            new.write(records)
            try:
                await new.relieve()
            except ServiceError as error:
                log.warning(f"{new.queue_id}: write to cleanup service: {error}")
                problem = _WRITE_ERROR
        if decoder.ended:
            break
        session.where_detail = f" ({decoder.size} bytes)"
    session.stream.until = 0.0
    session.buffer = decoder.rest
    if decoder.bare_newline:
        session.bare_newline_seen = True
    return await _finish(session, problem, decoder.bare_newline, "")


async def _finish(session: Session, problem: str, bare_newline: bool, size: str) -> bool:
    """Ask the last restrictions, finish the message and reply; tell whether it was accepted."""
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
        session.reply(problem)
    else:
        refusal = None
        if not session.server.stand_alone:
            refusal = await judge_end_of_data(transaction)
        if refusal is not None:
            session.refuse(refusal)
        else:
            done = await _submit(session, size)
    session.reset()
    return done


async def _submit(session: Session, size: str) -> bool:
    new = session.message
    assert new is not None
    message.end_content(session)
    session.message = None
    try:
        answer = await new.finish()
    except ServiceError as error:
        log.warning(f"{new.queue_id}: no answer from cleanup service: {error}")
        session.reply(_WRITE_ERROR)
        return False
    if answer.status == 0:
        session.reply(f"250 2.0.0 Ok: {size}queued as {new.queue_id}")
        return True
    if answer.reason and _REASON.match(answer.reason):
        session.reply(answer.reason)
    else:
        detail = cleanup_detail(answer.status)
        session.reply(f"{detail.smtp} {detail.code} Error: {detail.text}")
    return False


class _Chunks:
    """A message that comes in BDAT chunks."""

    __slots__ = ("decoder", "problem")

    def __init__(self, decoder: ChunkDecoder) -> None:
        self.decoder = decoder
        self.problem = ""


async def bdat(session: Session, words: list[Word], line: str) -> bool:
    """BDAT: take a chunk of the content, of as many bytes as it says."""
    transaction = session.transaction
    queue_id = transaction.queue_id or "NOQUEUE"
    count = words[1].text if len(words) > 1 else ""
    last = len(words) == 3 and words[2].text.upper() == "LAST"
    size = int(count) if count.isascii() and count.isdigit() and len(count) <= 19 else -1
    if not 2 <= len(words) <= 3 or (len(words) == 3 and not last) or not 0 <= size <= _MOST_CHUNK:
        log.warning(f"{queue_id}: malformed BDAT command syntax from {session.client.log_name}: {line[:100]}")
        session.reply(_BDAT_SYNTAX)
        return False
    if size == 0 and not last:
        log.warning(f"{queue_id}: null BDAT request from {session.client.log_name}")
        await _skip(session, size)
        session.reply("551 5.7.1 Null BDAT request")
        return False
    chunks = session.chunks
    if not isinstance(chunks, _Chunks):
        refusal = await _first_chunk(session)
        if refusal:
            await _skip(session, size)
            session.reply(refusal)
            return False
        chunks = session.chunks
        assert isinstance(chunks, _Chunks)
    await _take_chunk(session, chunks, size)
    decoder = chunks.decoder
    if not last:
        session.where_detail = f" ({decoder.size + decoder.pending} bytes)"
        if chunks.problem:
            session.reply(chunks.problem)
            return False
        session.reply(f"250 2.0.0 Ok: {size} bytes")
        return True
    records = decoder.finish()
    assert session.message is not None
    if not chunks.problem:
        session.message.write(records)
    if decoder.bare_newline:
        session.bare_newline_seen = True
    return await _finish(session, chunks.problem, decoder.bare_newline, f"{decoder.size} bytes ")


async def _first_chunk(session: Session) -> str:
    """Begin the content; return a refusal, or nothing."""
    transaction = session.transaction
    if not transaction.accepted:
        return _NEED_RCPT if transaction.sender is None else _NO_RECIPIENTS
    if not session.server.stand_alone:
        refusal = await judge_data(transaction)
        if refusal is not None:
            return refusal.reply
    message.begin_content(session)
    session.chunks = _Chunks(
        ChunkDecoder(
            session.server.line_limit,
            strict=session.newline_mode != "no",
            reject=session.newline_mode == "reject",
        )
    )
    return ""


async def _take_chunk(session: Session, chunks: _Chunks, size: int) -> None:
    new = session.message
    assert new is not None
    decoder = chunks.decoder
    limit = session.server.size_limit
    session.start_deadline()
    while size:
        if not session.buffer:
            await session.read_more()
        received, session.buffer = session.buffer[:size], session.buffer[size:]
        size -= len(received)
        session.extend_deadline(len(received))
        records = decoder.feed(received)
        session.where_detail = f" ({decoder.size + decoder.pending} bytes)"
        if decoder.size > limit > 0 and not chunks.problem:
            chunks.problem = _TOO_BIG
        if records and not chunks.problem:
            new.write(records)
            try:
                await new.relieve()
            except ServiceError as error:
                log.warning(f"{new.queue_id}: write to cleanup service: {error}")
                chunks.problem = _WRITE_ERROR
    session.stream.until = 0.0


async def _skip(session: Session, size: int) -> None:
    """Read the bytes of a chunk that nobody wants."""
    session.start_deadline()
    while size:
        if not session.buffer:
            await session.read_more()
        dropped = min(size, len(session.buffer))
        session.buffer = session.buffer[dropped:]
        size -= dropped
    session.stream.until = 0.0
