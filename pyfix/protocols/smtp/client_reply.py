"""Replies as a client reads them: from bytes to code, enhanced status code and text.

Source: RFC 5321 section 4.2; RFC 2034; postconf(5) line_length_limit, smtp_reply_filter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from pyfix.formats.status import status_prefix

__all__ = ["Reply", "ReplyReader"]

_CODE: Final = re.compile(rb"([0-9]{3})(?:([ -])|\Z)")
_DEFAULTS: Final = {"2": "2.0.0", "4": "4.0.0", "5": "5.0.0"}
_NO_STATUS: Final = "5.5.0"
"""The status of a reply that is neither success nor failure, where only these may stand."""
_SHOWN: Final = 30
_MOST_SHOWN_GARBAGE: Final = 100


class Reply(NamedTuple):
    """One reply of a server."""

    code: int
    """Three digits; 0 when the server had none to say."""
    status: str
    """The enhanced status code, or one that says no more than the code."""
    text: str
    """All lines, with their codes, separated by newlines."""

    @property
    def positive(self) -> bool:
        """Whether the server has done what was asked."""
        return 200 <= self.code < 300

    @property
    def line(self) -> str:
        """The text in one line, as the log and notices have it."""
        return self.text.replace("\n", " ")


class ReplyReader:
    """Takes bytes as they come, gives replies.

    Lines that are no reply are left out; too long a line is cut, and of too many lines the first are kept.
    """

    __slots__ = ("_buffer", "_cut", "_limit", "_lines", "_size", "_skipping", "garbage", "replace", "warn")

    def __init__(self, limit: int, warn: Callable[[str], None]) -> None:
        """*limit*: bytes of a line, and of all lines of a reply together; *warn* hears of what is longer."""
        self._limit: Final = limit
        self.warn: Final = warn
        self._buffer = b""
        self._lines: list[str] = []
        self._size = 0
        self._skipping = False
        """The end of a line that was cut has not come yet."""
        self._cut = False
        """The reply has more text than is kept."""
        self.replace: Callable[[str], str] | None = None
        """What smtp_reply_filter makes of a line; where it has to wait, its owner calls next_line() and take()."""
        self.garbage: Callable[[str], None] | None = None
        """Hears of lines that are no reply."""

    @property
    def ahead(self) -> bool:
        """Whether the server has said more than was asked for."""
        return bool(self._buffer)

    def clear(self) -> None:
        """Forget what the server has said and nobody has asked for."""
        self._buffer = b""
        self._lines.clear()
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take bytes from the server."""
        self._buffer += data

    def next(self) -> Reply | None:
        """Return the next reply, None while it is not complete."""
        while (line := self.next_line()) is not None:
            if self.replace is not None:
                line = self.replace(line.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
            reply = self.take(line)
            if reply is not None:
                return reply
        return None

    def next_line(self) -> bytes | None:
        """Return the next line for take(), without its end and cut to the limit; None while it is not complete."""
        while True:
            end = self._buffer.find(b"\n")
            if end < 0:
                if self._skipping:
                    self._buffer = b""
                elif len(self._buffer) > self._limit:
                    self._skipping = True
                    line, self._buffer = self._buffer, b""
                    return self._too_long(line)
                return None
            line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
            if self._skipping:
                self._skipping = False
                continue
            if len(line) > self._limit:
                return self._too_long(line)
            return line.rstrip(b"\r") if line.endswith(b"\r") else line

    def _too_long(self, line: bytes) -> bytes:
        shown = line[:_SHOWN].decode("utf-8", "surrogateescape")
        self.warn(f"response longer than {self._limit}: {shown}...")
        return line[: self._limit]

    def take(self, line: bytes) -> Reply | None:
        """Take one line without its end; return the reply that it completes."""
        match = _CODE.match(line)
        text = line.decode("utf-8", "surrogateescape")
        if match is None:
            if self.garbage is not None:
                self.garbage(text[:_MOST_SHOWN_GARBAGE])
            return None
        if self._size < self._limit:
            self._lines.append(text)
            self._size += len(line) + 1
        elif not self._cut:
            self._cut = True
            self.warn(f"multi-line response longer than {self._limit} {self._lines[0][:_SHOWN]}...")
        if match[2] == b"-":
            return None
        lines, self._lines, self._size, self._cut = self._lines, [], 0, False
        return _reply(int(match[1]), text, lines)


def _reply(code: int, last: str, lines: list[str]) -> Reply:
    digit = last[0]
    status = ""
    if digit in _DEFAULTS:
        status = status_prefix(last[4:].lstrip(" "))
        if status[:1] != digit:
            status = _DEFAULTS[digit]
    return Reply(code, status or _NO_STATUS, lines[0] if len(lines) == 1 else "\n".join(lines))
