"""BDAT: a message in chunks of announced size.

Source: RFC 3030; BDAT_README; postconf(5) message_size_limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfix.access.judge import judge_data
from pyfix.daemons.smtpd import message, proxyfilter
from pyfix.daemons.smtpd.content import TOO_BIG, WRITE_ERROR, finish, nobody_wants_it, problem_class
from pyfix.protocols.smtp.command import Word
from pyfix.protocols.smtp.data import ChunkDecoder
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.daemons.smtpd.session import Session

__all__ = ["Chunks", "bdat"]

_SYNTAX: Final = "521 5.5.4 Syntax: BDAT count [LAST]"
_TOO_LARGE: Final = "552 5.3.4 Chunk exceeds message size limit"
_MOST: Final = (1 << 63) - 1
_PATIENCE: Final = 1.5
"""How much content of a message that is refused is read, in units of message_size_limit."""


class Chunks:
    """A message that comes in chunks."""

    __slots__ = ("decoder", "failed", "problem")

    def __init__(self, decoder: ChunkDecoder) -> None:
        self.decoder = decoder
        self.problem = ""
        """The reply when the last chunk is there, if the message can't be accepted."""
        self.failed = False
        """A chunk was refused; the others are only read."""


async def bdat(session: Session, words: list[Word], line: str) -> bool:
    """BDAT: take a chunk of the content, of as many bytes as it says."""
    if "chunking" in session.discarded:
        session.reply("521 5.5.1 Error: command not implemented")
        return False
    transaction = session.transaction
    client = session.client.log_name
    queue_id = transaction.queue_id or "NOQUEUE"
    count = words[1].text if len(words) > 1 else ""
    last = len(words) == 3 and words[2].text.upper() == "LAST"
    size = int(count) if count.isascii() and count.isdigit() and len(count) <= 19 else -1
    if not 2 <= len(words) <= 3 or (len(words) == 3 and not last) or not 0 <= size <= _MOST:
        log.warning(f"{queue_id}: malformed BDAT command syntax from {client}: {line[:100]}")
        session.reply(_SYNTAX)
        return False
    chunks = session.chunks
    if size == 0 and not last:
        log.warning(f"{queue_id}: null BDAT request from {client}")
        if chunks is None:
            chunks = session.chunks = _new(session)
        return await _skip(session, chunks, size, last, "551 5.7.1 Null BDAT request")
    if chunks is None:
        chunks = session.chunks = _new(session)
        refusal = await _first_refusal(session)
        if refusal:
            return await _skip(session, chunks, size, last, refusal)
    elif chunks.failed:
        return await _skip(session, chunks, size, last, f"551 5.0.0 Discarded {size} bytes after earlier error")
    if 0 < session.server.size_limit < size + chunks.decoder.size:
        log.warning(f"{queue_id}: BDAT request from {client} exceeds message size limit")
        return await _skip(session, chunks, size, last, _TOO_LARGE)
    await _take(session, chunks, size)
    decoder = chunks.decoder
    if decoder.bare_newline:
        session.bare_newline_seen = True
        if session.newline_mode == "reject" and not last:
            return _refuse_bare_newline(session, chunks)
    if not last:
        if chunks.problem:
            return _fail(session, chunks)
        session.reply(f"250 2.0.0 Ok: {size} bytes")
        return True
    records = decoder.finish()
    assert session.message is not None
    _check_size(session, chunks)
    if not chunks.problem:
        session.message.write(records)
    session.transaction.size = decoder.size
    return await finish(session, chunks.problem, decoder.bare_newline, f"{decoder.size} bytes ")


def _new(session: Session) -> Chunks:
    strict, reject = session.newline_mode != "no", session.newline_mode == "reject"
    return Chunks(ChunkDecoder(session.server.line_limit, strict=strict, reject=reject))


async def _first_refusal(session: Session) -> str:
    """Begin the content; return a refusal, or nothing."""
    transaction = session.transaction
    if not transaction.accepted:
        return nobody_wants_it(session)
    if not session.server.stand_alone:
        refusal = await judge_data(transaction)
        if refusal is not None:
            return refusal.reply
    if session.milters is not None and (reply := await message.shown_to_milters(session, session.milters)):
        return reply
    if session.server.proxy is not None and (reply := await proxyfilter.begun(session)):
        return reply
    message.begin_content(session)
    return ""


def _check_size(session: Session, chunks: Chunks) -> None:
    if chunks.decoder.size > session.server.size_limit > 0 and not chunks.problem:
        log.warning(f"{session.transaction.queue_id}: queue file size limit exceeded")
        chunks.problem = TOO_BIG


async def _take(session: Session, chunks: Chunks, size: int) -> None:
    new = session.message
    assert new is not None
    decoder = chunks.decoder
    session.start_deadline()
    session.where_detail = f" ({decoder.size + decoder.pending} bytes)"
    while size:
        if not session.buffer:
            await session.read_more()
        received, session.buffer = session.buffer[:size], session.buffer[size:]
        size -= len(received)
        session.extend_deadline(len(received))
        records = decoder.feed(received)
        session.where_detail = f" ({decoder.size + decoder.pending} bytes)"
        _check_size(session, chunks)
        if records and not chunks.problem:
            new.write(records)
            try:
                await new.relieve()
            except ServiceError as error:
                log.warning(f"{new.queue_id}: write to cleanup service: {error}")
                chunks.problem = WRITE_ERROR
    session.stream.until = 0.0


def _refuse_bare_newline(session: Session, chunks: Chunks) -> bool:
    transaction = session.transaction
    transaction.where = "BDAT content"
    transaction.log_action("reject", "bare <LF> received")
    transaction.where = "BDAT"
    code = session.settings.smtpd_forbid_bare_newline_reject_code
    chunks.problem = f"{code} 5.5.2 {session.server.hostname} Error: bare <LF> received"
    return _fail(session, chunks)


def _fail(session: Session, chunks: Chunks) -> bool:
    """Give up the message after a chunk that is not its last."""
    session.blame(problem_class(chunks.problem))
    session.reply(chunks.problem)
    session.reset()
    chunks.failed = True
    chunks.decoder.size = 0
    session.chunks = chunks
    session.where_detail = " (0 bytes)"
    return False


async def _skip(session: Session, chunks: Chunks, size: int, last: bool, reply: str) -> bool:
    """Read the bytes of a chunk that nobody wants, and refuse it; the later ones are refused too."""
    limit = session.server.size_limit
    session.where_detail = ""
    # What was accepted of the message counts too; in this order the divisions round as the reference's do.
    if limit > 0 and chunks.decoder.size / _PATIENCE > limit - size / _PATIENCE:
        queue_id = session.transaction.queue_id or "NOQUEUE"
        log.warning(f"{queue_id}: too much BDAT content -- disabling further input from {session.client.log_name}")
        # What the client has sent already is content, and must not be taken for commands.
        session.hears_no_more()
    else:
        chunks.decoder.size += size
        await _drop(session, size)
    session.reply(reply)
    if last:
        session.reset()
    else:
        chunks.failed = True
    return False


async def _drop(session: Session, size: int) -> None:
    session.start_deadline()
    while size:
        if not session.buffer:
            await session.read_more()
        dropped = min(size, len(session.buffer))
        session.buffer = session.buffer[dropped:]
        size -= dropped
    session.stream.until = 0.0
