"""header_checks and body_checks of tables that ask a server: what the parser finds is kept until they have answered.

The parser goes from line to line without waiting; so each line is taken in two steps, first by it, then by the tables.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from pyfix.daemons.cleanup.header import HeaderWriter, size_of
from pyfix.daemons.cleanup.message import Message
from pyfix.formats.header import KnownHeader
from pyfix.formats.mime import BODY, HeaderClass, MimeError
from pyfix.protocols.internal.cleanup import FILTER

__all__ = ["WaitingHeaderWriter"]


class WaitingHeaderWriter(HeaderWriter):
    """Takes what the parser finds of one line, and writes it in go_on()."""

    __slots__ = ("_pieces",)

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self._pieces: list[Callable[[], Awaitable[None]]] = []

    @property
    def holds(self) -> bool:
        """Whether something is left to be written."""
        return bool(self._pieces)

    async def go_on(self) -> None:
        """Write what was kept.  Raises SizeLimitExceeded, OSError."""
        for piece in self._pieces:
            await piece()
        self._pieces.clear()

    # From the parser

    def header(self, checks: HeaderClass, known: KnownHeader | None, name: bytes, body: bytes, state: int) -> None:
        """Keep one header of the message, of a part, or of a message inside."""
        self._pieces.append(partial(self._check_header, checks, known, name, body, state))

    def header_end(self) -> None:
        """Keep the end of the primary header."""
        self._pieces.append(self._end_header)

    def body(self, kind: int, data: bytes) -> None:
        """Keep a piece of the body, where it is looked at or something waits before it."""
        checks = self._message.setup.checks
        if not self._pieces and not (checks is not None and checks.body):
            self.body_copy.add(kind, data)
            return
        parser = self.parser
        assert parser is not None  # this comes from it
        size, depth = size_of(data, parser), len(parser.boundaries)
        self._pieces.append(partial(self._check_line, kind, data, size, depth, ends=parser.state != BODY))

    def mime_error(self, error: MimeError, text: bytes) -> None:
        """Keep an error, where something waits before it."""
        if self._pieces:
            self._pieces.append(partial(self._note_error, error, text))
        else:
            super().mime_error(error, text)

    # From go_on()

    async def _check_header(
        self, kind: HeaderClass, known: KnownHeader | None, name: bytes, body: bytes, state: int
    ) -> None:
        message = self._message
        checks = message.setup.checks
        if checks is None or not message.flags & FILTER:
            super().header(kind, known, name, body, state)
            return
        self._segment_begins = True
        body = body.partition(b"\0")[0]
        if message.going:
            self._count_hop(known, state)
            self._take_checked(await checks.find_header(message, kind, name + b":" + body), state)

    async def _end_header(self) -> None:
        super().header_end()

    async def _check_line(self, kind: int, data: bytes, size: int, depth: int, *, ends: bool) -> None:
        message = self._message
        checks = message.setup.checks
        if checks is None or not checks.body or not message.flags & FILTER:
            self.body_copy.add(kind, data)
        elif self._is_checked(checks, size, depth, ends=ends):
            self._add_checked(kind, await checks.find_line(message, data))
        else:
            self.body_copy.add(kind, data)

    async def _note_error(self, error: MimeError, text: bytes) -> None:
        super().mime_error(error, text)
