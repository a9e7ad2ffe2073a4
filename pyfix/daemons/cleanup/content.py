"""The content of a message: its records pass through here into the queue file.

Header and MIME structure are found by ``pyfix.formats.mime``; what becomes of each header is decided in ``header``.
Source: cleanup(8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyfix.content.characters import REFUSAL
from pyfix.daemons.cleanup.body import ENDED, HEADER, STRAY, UNEXPECTED, BodyCopy
from pyfix.daemons.cleanup.envelope import TRACES, refuse_trace
from pyfix.daemons.cleanup.header import HeaderWriter
from pyfix.daemons.cleanup.message import Message
from pyfix.daemons.cleanup.origin import log_action
from pyfix.daemons.cleanup.quickheader import RECEIVED, scan_header
from pyfix.daemons.cleanup.source import LAST, RecordSource
from pyfix.formats import status as bits
from pyfix.formats.mime import BODY, MimeParser
from pyfix.formats.records import EXTRACTED, TEXT, UNTERMINATED, decode_record, encode_record
from pyfix.protocols.internal.cleanup import FILTER
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.daemons.cleanup.waitingheader import WaitingHeaderWriter


async def read_content(message: Message, source: RecordSource) -> None:
    """Take the records from M to X, or until the message is refused.

    Raises EndOfInput, RecordError, ServiceError, SizeLimitExceeded, OSError, StreamTimeout, StreamClosed.
    """
    await _Content(message, source).read()


class _Content:
    """Takes the content of one message."""

    __slots__ = ("_body", "_characters", "_checked", "_every_line", "_header", "_late", "_message", "_source")

    def __init__(self, message: Message, source: RecordSource) -> None:
        self._message = message
        self._source = source
        setup = message.setup
        filtered = bool(message.flags & FILTER)
        checks = setup.checks if filtered else None
        self._late: WaitingHeaderWriter | None = None
        if checks is not None and not checks.local:
            from pyfix.daemons.cleanup.waitingheader import WaitingHeaderWriter  # few sites check by a server

            self._late = WaitingHeaderWriter(message)
        self._header = self._late or HeaderWriter(message)
        self._body = self._header.body_copy = BodyCopy(message)
        self._checked = checks is not None
        self._characters = filtered and bool(setup.characters)
        self._every_line = setup.strict_body or self._characters or (checks is not None and checks.body)

    def _begin_parser(self) -> MimeParser:
        """Make what finds the structure of the message, which many messages do not need."""
        setup = self._message.setup
        parser = MimeParser(
            self._header,
            header_limit=setup.settings.header_size_limit,
            nesting_limit=setup.settings.mime_nesting_limit,
            boundary_limit=setup.settings.mime_boundary_length_limit,
            disabled=setup.settings.disable_mime_input_processing,
            strict_header=setup.strict_header,
            strict_body=setup.strict_body,
            strict_domain=setup.settings.strict_mime_encoding_domain,
            convert=setup.convert,
        )
        self._header.parser = self._body.parser = parser
        return parser

    async def read(self) -> None:
        message, source = self._message, self._source
        begun = False
        if not self._characters and not message.setup.strict_header and not self._checked and message.room is None:
            begun = self._quick_header()
            if self._header.waiting:
                await self._header.resolve()
            if not message.going:
                return
            if begun:
                message.out.append(b"N\0")
        parser = self._body.parser if begun else self._begin_parser()
        while True:
            if parser is None or (parser.state == BODY and not self._every_line and not parser.converting):
                result = self._body.copy(source.data, source.position)
                source.position = self._body.position
                if result == ENDED:
                    break
                if result == HEADER:
                    continue
                if result == UNEXPECTED:
                    self._unexpected(source.data[source.position])
                    return
            else:
                ended = self._lines(parser)
                held = self._late is not None and self._late.holds
                if held:
                    await self._play()
                paused = not ended and self._header.ends is not None
                if self._header.waiting:
                    await self._header.resolve()
                if not message.going:
                    return
                if ended:
                    parser.end()
                    if parser.converting:
                        self._body.unterminated = False
                    await self._play()
                    if self._header.waiting:
                        await self._header.resolve()
                    break
                if held or paused or (parser.state == BODY and not self._every_line and not parser.converting):
                    continue
            await source.more()
        if not message.going:
            return
        if message.mime_error is not None:
            message.flush()  # a message that is too large is refused for that
            message.errors |= bits.CONTENT
            message.reason = f"{message.mime_error.code} {message.mime_error.text}"
            if not message.going:
                return
        if self._body.unterminated:
            message.out.append(encode_record(TEXT))
        if message.room is not None:
            message.put_pointer()
        message.segment_end = message.flush()
        message.out.append(b"X\0")

    async def _play(self) -> None:
        """Write what waits for header_checks and body_checks to be asked."""
        if self._late is not None:
            await self._late.go_on()

    def _quick_header(self) -> bool:
        """Take the primary header at one glance, if it is all there and nothing in it is odd; tell whether it was.

        The empty line after it is still to be written.  A message with nothing that tells about parts gets no parser.
        """
        message, source, header = self._message, self._source, self._header
        setup = message.setup
        data, start = source.data, source.position
        found = scan_header(data, start, setup.header_names, setup.line_limit, setup.settings.header_size_limit)
        if found is None:
            return False
        specials, titles, end = found
        if setup.convert and any(known.name == "Content-Transfer-Encoding" for known, *_ in specials):
            return False  # what it says may change
        hops = message.hops + titles.count(RECEIVED)
        if hops >= setup.hop_limit:
            return False  # which of them is one too many is for the parser to find out
        message.hops = hops
        message.seen.update(titles)
        out = message.out
        content_headers = []
        for known, name, body, record, after in specials:
            if known.mime:
                content_headers.append((known, name, body))
            if start < record:
                out.append(data[start:record])
            start = record if header.primary(known, name, body) else after
        if start < end:
            out.append(data[start:end])
        source.position = end + 2
        if content_headers or self._every_line:
            self._begin_parser().skip_primary(content_headers)
        else:
            header.header_end()
        return True

    def _lines(self, parser: MimeParser) -> bool:
        """Show the complete records to the parser, while it has to see them; tell whether the X record was taken.

        It pauses where something must be waited for before the next one.
        """
        message, source = self._message, self._source
        data, position = source.data, source.position
        end = len(data)
        last = end - 1
        replace = message.setup.replace_stray
        feed = parser.feed
        every_line = self._every_line
        characters = message.setup.characters
        late = self._late
        while position < last:
            kind = data[position]
            length = data[position + 1]
            if length < 0x80:
                begin = position + 2
                after = begin + length
                if after > end:
                    break
            else:
                found = decode_record(data, position, end)
                if found is None:
                    break
                kind, begin, after = found
            text = data[begin:after]
            position = after
            if kind in (TEXT, UNTERMINATED):
                if replace and (b"\r" in text or b"\n" in text):
                    text = text.translate(STRAY)
                if self._characters:
                    if characters.refuses(text):
                        self._refuse_characters(text)
                        break
                    text = characters.stripped(text)
                feed(kind, text)
                in_body = parser.state == BODY
                self._body.unterminated = kind == UNTERMINATED and (in_body or not (text or parser.amid_header))
                if in_body and not every_line and not parser.converting:
                    break
                if not message.going or (in_body and self._header.ends is not None):
                    break
                if late is not None and late.holds:
                    break
            elif kind == EXTRACTED:
                source.position = position
                return True
            else:
                self._unexpected(kind)
                source.ended = kind in LAST
                break
        source.position = position
        return False

    def _refuse_characters(self, text: bytes) -> None:
        """Refuse the message for a character in its content."""
        message = self._message
        log_action(message, "REJECT", "content", text, REFUSAL)
        message.reason = REFUSAL
        message.errors |= bits.CONTENT

    def _unexpected(self, kind: int) -> None:
        """Refuse the message for a record that can't stand in its content."""
        message = self._message
        if kind in TRACES:
            refuse_trace(message, kind)
            return
        # The name is not ours, but it stands in the log line that programs look for.
        log.warning(f"cleanup_message_headerbody: message rejected: unexpected record type {kind} in message content")
        message.errors |= bits.BAD
