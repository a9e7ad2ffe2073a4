"""Message content as DATA and BDAT carry it, decoded in large blocks into queue-file records.

Line ends go, leading dots go, lines of line_length_limit bytes and more come in pieces.  Bare
newlines are judged here.  Source: RFC 5321 section 4.5.2; RFC 3030; postconf(5)
smtpd_forbid_bare_newline, line_length_limit.
"""

from __future__ import annotations

import re
from typing import Final

from pyfix.formats.records import TEXT, UNTERMINATED, encode_lines, encode_record

__all__ = ["ChunkDecoder", "DataDecoder"]

_MOST_CARRIED: Final = 65536
"""An unfinished line of this many bytes is passed on in pieces, so that memory stays bounded."""
_MAILBOX_LINE: Final = re.compile(rb">*From ")
_ANY_END: Final = re.compile(rb"\n\.\r*\n")
_ANY_END_AT_START: Final = re.compile(rb"\.\r*\n")


class _Decoder:
    """What both ways have in common: from lines to records, with a count of bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._carry = b""
        self._continued = False
        """The bytes in carry belong to a line of which pieces were passed on."""
        self.size = 0
        """Bytes of content, two more for each line and each piece of one: what message_size_limit limits."""
        self.bare_newline = False
        """There was a line end of LF alone."""

    def _encode(self, lines: list[bytes]) -> bytes:
        """Return the records of whole lines; the first may be the rest of one that was begun."""
        if not lines:
            return b""
        if len(max(lines, key=len)) < self._limit:
            self._continued = False
            return encode_lines(lines, self._limit)
        return b"".join([self._long(line) for line in lines])

    def _long(self, line: bytes, first: int = 0) -> bytes:
        """Return the records of one line; the first piece has *first* bytes less.

        The line itself is counted in size already, its pieces are counted here.
        """
        self._continued = False
        limit = self._limit
        parts = []
        start = 0
        size = limit - first
        while len(line) - start >= size:
            parts.append(encode_record(UNTERMINATED, line[start : start + size]))
            self.size += 2
            start += size
            size = limit
        parts.append(encode_record(TEXT, line[start:]))
        return b"".join(parts)

    def _pieces(self, first: int = 0, kept: int = 1) -> bytes:
        """Pass on what is carried of a very long line, as whole pieces, and keep *kept* bytes of it at least."""
        limit = self._limit
        carry = self._carry
        parts = []
        start = 0
        size = limit - first
        while len(carry) - start >= size + kept:
            parts.append(encode_record(UNTERMINATED, carry[start : start + size]))
            self.size += size + 2
            start += size
            size = limit
        self._carry = carry[start:]
        self._continued = True
        return b"".join(parts)


class DataDecoder(_Decoder):
    """Decodes what comes after DATA, up to the end of content.

    *strict*: only CR LF "." CR LF ends the content, and a line keeps all but one CR before its LF
    (smtpd_forbid_bare_newline is not ``no``); otherwise ".", alone on a line of any ending, does.
    *reject*: from the first bare newline on nothing is passed on.
    """

    def __init__(self, limit: int, *, strict: bool, reject: bool = False) -> None:
        super().__init__(limit)
        self._strict = strict
        self._reject = reject
        self._first = True
        self._after_crlf = True
        self.ended = False
        self.rest = b""
        """What came after the end of content."""

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes; return records, and see *ended*."""
        if self._carry:
            data = self._carry + data
            self._carry = b""
        end, after = self._find_end(data)
        if end >= 0:
            self.ended = True
            self.rest = data[after:]
            return self._content(data[:end]) if end else b""
        cut = data.rfind(b"\n") + 1
        if cut:
            records = self._content(data[:cut])
            self._carry = data[cut:]
        else:
            records = b""
            self._carry = data
        if len(self._carry) > _MOST_CARRIED:
            if self._reject and self.bare_newline:
                self._carry = self._carry[-1:]
                self._continued = True
                return records
            if self._first:
                self._first = False
                records += self._before_first(self._carry)
            first = 0
            if not self._continued and self._carry.startswith(b"."):
                self._carry = self._carry[1:]
                first = 1
            records += self._pieces(first)
        return records

    def _find_end(self, data: bytes) -> tuple[int, int]:
        """Return where the content ends in *data* and where the rest begins, or -1."""
        if self._strict:
            if self._after_crlf and not self._continued and data.startswith(b".\r\n"):
                return 0, 3
            at = data.find(b"\r\n.\r\n")
            return (at + 2, at + 5) if at >= 0 else (-1, 0)
        if not self._continued and data.startswith(b".") and (match := _ANY_END_AT_START.match(data)) is not None:
            return 0, match.end()
        match = _ANY_END.search(data)
        return (match.start() + 1, match.end()) if match is not None else (-1, 0)

    def _content(self, data: bytes) -> bytes:
        """Return the records of whole lines."""
        if data.endswith(b"\r\n") and b"\n." not in data and (self._continued or not data.startswith(b".")):
            # Nearly all content: every line ends as it should, and no dot is to be taken away.
            lines = data.split(b"\r\n")
            lines.pop()
            joined = b"".join(lines)
            refused = self._reject and self.bare_newline
            if b"\n" not in joined and (self._strict or b"\r" not in joined) and not refused:
                self._after_crlf = True
                self.size += len(data)
                start = b""
                if self._first:
                    self._first = False
                    start = self._before_first(lines[0])
                return start + self._encode(lines) if start else self._encode(lines)
        crlf = data.count(b"\r\n")
        count = data.count(b"\n")
        stray = crlf != count
        self._after_crlf = data.endswith(b"\r\n")
        # A lone dot at the start would have been the end, were the line before it not ended by a bare newline.
        lone_dot = self._strict and data.startswith(b".\r\n")
        if (stray and self._strict) or lone_dot or (self._reject and self.bare_newline):
            return self._careful(data)
        if stray:
            self.bare_newline = True
        text = data.replace(b"\r\n", b"\n") if crlf else data
        if not self._strict and b"\r\n" in text:
            return self._careful(data)
        if b"\n." in text or (not self._continued and text.startswith(b".")):
            if len(max(text.split(b"\n"), key=len)) >= self._limit:
                return self._careful(data)
            if text.startswith(b".") and not self._continued:
                # What begins with a dot is neither a mailbox's "From " line nor folded, whatever the dot hides.
                self._first = False
                text = text[1:]
            text = text.replace(b"\n.", b"\n")
        self.size += len(text) + count
        lines = text.split(b"\n")
        lines.pop()
        start = b""
        if self._first:
            self._first = False
            start = self._before_first(lines[0])
        return start + self._encode(lines)

    def _careful(self, data: bytes) -> bytes:
        """Return the records of lines among which some are unusual, one by one."""
        parts: list[bytes] = []
        lines = data.split(b"\n")
        lines.pop()
        for raw in lines:
            bare = not raw.endswith(b"\r")
            if bare:
                self.bare_newline = True
            if self._reject and self.bare_newline:
                self._continued = False
                continue
            line = raw.removesuffix(b"\r") if self._strict else raw.rstrip(b"\r")
            if self._first and line != b".":
                self._first = False
                parts.append(self._before_first(line))
            dot = 0
            if not self._continued and line.startswith(b"."):
                if line == b".":
                    # A lone dot between other line ends than CR LF is neither end nor content.
                    continue
                line = line[1:]
                dot = 1
            self.size += len(line) + 2
            parts.append(self._long(line, dot))
        return b"".join(parts)

    @staticmethod
    def _before_first(line: bytes) -> bytes:
        """Return what must stand before the first line so that it is a header, or the body of a message without one."""
        if _MAILBOX_LINE.match(line):
            return encode_record(UNTERMINATED, b"X-Mailbox-Line: ")
        if line[:1] in (b" ", b"\t"):
            return encode_record(TEXT)
        return b""


class ChunkDecoder(_Decoder):
    """Decodes the chunks of BDAT; a line may go on in the next chunk."""

    def __init__(self, limit: int, *, strict: bool, reject: bool = False) -> None:
        super().__init__(limit)
        self._strict = strict
        self._reject = reject
        self._first = True

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of a chunk; return records."""
        if self._carry:
            data = self._carry + data
            self._carry = b""
        cut = data.rfind(b"\n") + 1
        records = self._content(data[:cut]) if cut else b""
        self._carry = data[cut:]
        if len(self._carry) >= self._limit:
            if not (self._reject and self.bare_newline):
                # A CR may be half of the line's end.
                records += self._pieces(kept=1 if self._carry.endswith(b"\r") else 0)
            elif len(self._carry) > _MOST_CARRIED:
                self._carry = self._carry[-1:]
        return records

    @property
    def pending(self) -> int:
        """Bytes of a line that has not ended yet."""
        return len(self._carry)

    def finish(self) -> bytes:
        """Return the records of a last line without an end.  To be called after the last chunk.

        A line of just so many whole pieces stays without an end.
        """
        line, self._carry = self._carry, b""
        if not line or (self._reject and self.bare_newline):
            return b""
        whole = len(line) - len(line) % self._limit
        pieces = [
            encode_record(UNTERMINATED, line[start : start + self._limit]) for start in range(0, whole, self._limit)
        ]
        self.size += len(line) + 2 * len(pieces)
        if whole < len(line):
            self.size += 2
            pieces.append(encode_record(TEXT, line[whole:]))
        return b"".join(pieces)

    def _content(self, data: bytes) -> bytes:
        crlf = data.count(b"\r\n")
        count = data.count(b"\n")
        if crlf != count:
            self.bare_newline = True
        if self._reject and self.bare_newline:
            self._continued = False
            return b""
        text = data.replace(b"\r\n", b"\n") if crlf else data
        lines = text.split(b"\n")
        lines.pop()
        if not self._strict and b"\r\n" in text:
            lines = [line.rstrip(b"\r") for line in lines]
        self.size += sum(map(len, lines)) + 2 * len(lines)
        return self._encode(lines)
