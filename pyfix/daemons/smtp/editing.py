"""Content that is changed on its way out: converted to 7 bits, checked, with other addresses in its headers.

Source: postconf(5) disable_mime_output_conversion, smtp_generic_maps, smtp_header_checks; RFC 6152 section 3.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import partial
from typing import Final

from pyfix.daemons.smtp.checks import CheckFailed, Checks
from pyfix.formats.address_list import AddressList
from pyfix.formats.header import KnownHeader
from pyfix.formats.mime import PRIMARY, HeaderClass, MimeError, MimeParser
from pyfix.formats.records import TEXT, UNTERMINATED
from pyfix.rewriting.generic import Generic

_DECLARED: Final = re.compile(rb"(?i)8bit|binary")
"""What a message must have somewhere if any part of it is to be converted."""
_SMALL: Final = 65536


def needs_no_conversion(block: bytes) -> bool:
    """Say whether a message of one block has surely no part that is declared to have 8 bits."""
    return len(block) < _SMALL and _DECLARED.search(block) is None


class Editor:
    """Takes the content of one message and gives it back changed."""

    def __init__(
        self, queue_id: str, checks: Checks | None, generic: Generic | None, parser_limits: tuple[int, int, int, int]
    ) -> None:
        """*parser_limits*: header_size_limit, mime_nesting_limit, mime_boundary_length_limit, line_length_limit."""
        self._queue_id: Final = queue_id
        self._checks: Final = checks
        self._generic: Final = generic
        self._limits: Final = parser_limits
        self._out: list[bytes] = []
        self._waiting: list[tuple[int, bytes, bytes]] = []
        """Headers whose addresses are still to be looked up: place in the output, name, body."""
        self._unchecked: list[tuple[int, Callable[[], Awaitable[list[bytes]]], bytes, bool]] = []
        """What tables that may wait are still to be asked about: place in the output, the question,
        how what is left of it ends, and whether it has addresses."""
        self._failure: CheckFailed | None = None
        """A table that could not be asked; what came before is sent still."""
        self.error: MimeError | None = None
        """Why the message can't be converted."""

    # From the parser

    def header(self, checks: HeaderClass, known: KnownHeader | None, name: bytes, body: bytes, state: int) -> None:
        """Take a header."""
        text = name + b":" + body
        has_addresses = known is not None and (known.sender or known.recipient)
        rewrites = has_addresses and self._generic is not None and state == PRIMARY
        if self._checks is None:
            self._add_header(text, rewrites)
        elif self._checks.local:
            for one in self._asked(self._checks.header, self._queue_id, checks, text):
                self._add_header(one, rewrites)
        else:
            question = partial(self._checks.find_header, self._queue_id, checks, text)
            self._unchecked.append((len(self._out), question, b"\n", rewrites))
            self._out.append(b"")

    def _add_header(self, text: bytes, rewrites: bool) -> None:
        if rewrites:
            self._waiting.append((len(self._out), *_split(text)))
        self._out.append(text + b"\n")

    def header_end(self) -> None:
        """Take note that the primary header is complete."""

    def body(self, kind: int, data: bytes) -> None:
        """Take a piece of the body."""
        checks = self._checks
        end = b"\n" if kind == TEXT else b""
        if checks is None or not checks.of_body:
            self._out.append(data + end)
        elif checks.local:
            for text in self._asked(checks.line, self._queue_id, data):
                self._out.append(text + end)
        else:
            question = partial(checks.find_line, self._queue_id, data)
            self._unchecked.append((len(self._out), question, end, False))
            self._out.append(b"")

    def _asked(self, question: Callable[..., list[bytes]], *arguments: object) -> list[bytes]:
        """Return what becomes of a text, nothing when a table fails or has failed."""
        if self._failure is None:
            try:
                return question(*arguments)
            except CheckFailed as error:
                self._failure = error
        return []

    def mime_error(self, error: MimeError, text: bytes) -> None:
        """Take note of what is wrong with the structure."""
        self.error = error

    # To the sender

    async def edited(self, blocks: Iterable[bytes], *, convert: bool) -> AsyncIterator[bytes]:
        """Yield *blocks*, the content with LF at the end of lines, as it is to be sent; stop after an error.

        Raises CheckFailed, MappingError, ServiceError, and what *blocks* raise.
        """
        header_limit, nesting_limit, boundary_limit, line_limit = self._limits
        parser = MimeParser(
            self,
            header_limit=header_limit,
            nesting_limit=nesting_limit,
            boundary_limit=boundary_limit,
            convert=convert,
        )
        of_body = self._checks is not None and self._checks.of_body
        for block in blocks:
            position, size = 0, len(block)
            while position < size:
                if parser.opaque and not of_body:
                    yield await self._taken()
                    self._may_go_on()
                    yield block[position:]
                    break
                end = block.find(b"\n", position)
                stop = end if end >= 0 else size
                while stop - position > line_limit:
                    parser.feed(UNTERMINATED, block[position : position + line_limit])
                    position += line_limit
                parser.feed(TEXT if end >= 0 else UNTERMINATED, block[position:stop])
                position = stop + 1
                if self.error is not None or self._failure is not None:
                    yield await self._taken()
                    self._may_go_on()
                    return
            yield await self._taken()
            self._may_go_on()
        parser.end()
        yield await self._taken()
        self._may_go_on()

    def _may_go_on(self) -> None:
        """Raises CheckFailed."""
        if self._failure is not None:
            raise self._failure

    async def _taken(self) -> bytes:
        """Return what has come out so far, checked, and with its addresses looked up."""
        unchecked, self._unchecked = self._unchecked, []
        for place, question, end, rewrites in unchecked:
            try:
                texts = await question()
            except CheckFailed as error:
                self._failure = error
                del self._out[place:]
                break
            if rewrites:
                texts = [await self._rewritten(*_split(text)) or text for text in texts]
            self._out[place] = b"".join([text + end for text in texts])
        waiting, self._waiting = self._waiting, []
        for place, name, body in waiting:
            text = await self._rewritten(name, body) if place < len(self._out) else None
            if text is not None:
                self._out[place] = text + b"\n"
        out, self._out = self._out, []
        return b"".join(out)

    async def _rewritten(self, name: bytes, body: bytes) -> bytes | None:
        """Return a header with other addresses, None where they stay.  Raises MappingError, ServiceError."""
        addresses = AddressList(body.decode("utf-8", "surrogateescape"))
        assert self._generic is not None  # nothing is rewritten without
        text = addresses.header(name.decode("ascii"), await self._generic.externals(addresses.addresses))
        return None if text is None else text.encode("utf-8", "surrogateescape")


def _split(text: bytes) -> tuple[bytes, bytes]:
    name, _, body = text.partition(b":")
    return name.rstrip(b" \t"), body
