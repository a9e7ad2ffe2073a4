"""The structure of a message, found line by line: primary header, parts with their headers, nested messages, bodies.

It is as deep as a mail transfer agent needs: no decoding, just where a header ends and which lines are body text, and
on request conversion of 8-bit text to quoted-printable.  A
body in which nothing is left to find is *opaque*: the caller may then pass all other lines on without showing them.
Source: RFC 2045 to 2047; postconf(5) mime_nesting_limit, mime_boundary_length_limit, header_size_limit,
strict_7bit_headers, strict_8bitmime_body, strict_mime_encoding_domain, disable_mime_input_processing,
force_mime_input_conversion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, Protocol

from pyfix.formats.header import KnownHeader, find_header, header_name_end
from pyfix.formats.quotedprintable import QuotedPrintableEncoder

__all__ = ["BODY", "ERRORS", "MIME", "NESTED", "PRIMARY", "MimeError", "MimeParser", "MimeSink", "content_tokens"]

HeaderClass = Literal["header", "mime", "nested"]

PRIMARY: Final = 0
MIME: Final = 1
NESTED: Final = 2
BODY: Final = 3

_ENCODING_HEADER: Final = "Content-Transfer-Encoding"
_END_OF_LINE: Final = 0x4E  # a record of type N ends a line, one of type L is a piece of one


class MimeError(NamedTuple):
    """Something that the strict_* parameters or the limits refuse."""

    code: str
    text: str


NESTING: Final = MimeError("5.6.0", "MIME nesting exceeds safety limit")
TRUNCATED_HEADER: Final = MimeError("5.6.0", "message header length exceeds safety limit")
HEADER_8BIT: Final = MimeError("5.6.0", "improper use of 8-bit data in message header")
BODY_8BIT: Final = MimeError("5.6.0", "improper use of 8-bit data in message body")
ENCODING_DOMAIN: Final = MimeError("5.6.0", "invalid message/* or multipart/* encoding domain")
NON_EMPTY_END: Final = MimeError("5.6.0", "primary header was terminated with non-empty line")

ERRORS: Final = (NESTING, TRUNCATED_HEADER, HEADER_8BIT, BODY_8BIT, ENCODING_DOMAIN, NON_EMPTY_END)
"""The most serious first: a message with several errors is refused for that one."""


class MimeSink(Protocol):
    """What takes the pieces of a message from the parser, in their order."""

    def header(self, checks: HeaderClass, known: KnownHeader | None, name: bytes, body: bytes, state: int) -> None:
        """Take one header: *body* is what follows the colon, continuation lines separated by newlines.

        *checks* says which of header_checks, mime_header_checks and nested_header_checks look at it; *state* is
        PRIMARY, MIME (the header of a part) or NESTED (of a message inside).
        """

    def header_end(self) -> None:
        """Take note that the primary header is complete."""

    def body(self, kind: int, data: bytes) -> None:
        """Take a piece of the body, an empty line after a header or a boundary; *kind* is a record type, N or L."""

    def mime_error(self, error: MimeError, text: bytes) -> None:
        """Take note of an error, the first of its kind; *text* is where it was seen."""


_CONTENT_TOKEN = re.compile(
    rb"""[ \t\r\n]*(?:
    (?P<word>[^\x00-\x20\x7f()<>@,;:\\"/\[\]?=]+)
    |"(?P<quoted>(?:[^"\\]|\\[\s\S]?)*)"?
    |(?P<comment>\()
    |(?P<special>[\s\S]))""",
    re.VERBOSE,
)
_COMMENT_PART = re.compile(rb"[^()\\]+|\\[\s\S]?|[()]")

ContentToken = tuple[str, bytes]


def content_tokens(body: bytes, limit: int = 100) -> list[ContentToken]:
    """Return the tokens of a Content-...: header: ("word" | "quoted" | "special", text), comments left out.

    Source: RFC 2045 section 5.1.
    """
    tokens: list[ContentToken] = []
    position, end = 0, len(body)
    while position < end and len(tokens) < limit:
        match = _CONTENT_TOKEN.match(body, position)
        if match is None:
            break
        position = match.end()
        kind = match.lastgroup
        if kind == "comment":
            depth = 1
            while depth and position < end:
                part = _COMMENT_PART.match(body, position)
                assert part is not None  # each byte is in one of the three alternatives
                position = part.end()
                depth += 1 if part[0] == b"(" else -1 if part[0] == b")" else 0
        elif kind == "quoted":
            tokens.append((kind, re.sub(rb"\\([\s\S]?)", rb"\1", match["quoted"])))
        elif kind is not None:
            tokens.append((kind, match[kind]))
    return tokens


class MimeParser:
    """Finds the structure of one message; lines go in with ``feed``, pieces come out at the sink.

    ``boundaries`` has the boundary strings (without ``--``) that would end the part being read, the innermost last.
    """

    def __init__(
        self,
        sink: MimeSink,
        *,
        header_limit: int = 102400,
        nesting_limit: int = 100,
        boundary_limit: int = 2048,
        disabled: bool = False,
        strict_header: bool = False,
        strict_body: bool = False,
        strict_domain: bool = False,
        convert: bool = False,
    ) -> None:
        """Begin with the primary header.  Limits are bytes, and levels for *nesting_limit*.

        *convert*: text that is declared as 8bit or binary comes out as quoted-printable, and so do its headers.
        *disabled* (disable_mime_input_processing) makes all that follows the primary header one opaque body.
        """
        self._sink = sink
        self._header_limit = header_limit
        self._nesting_limit = nesting_limit
        self._boundary_limit = boundary_limit
        self._disabled = disabled
        self._strict_header = strict_header and not disabled
        self._strict_body = strict_body and not disabled
        self._strict_domain = strict_domain and not disabled
        self._encoder = QuotedPrintableEncoder() if convert and not disabled else None
        self.state = PRIMARY
        self.errors: set[MimeError] = set()
        self.cut: bytes | None = None
        """The line that ended the primary header in the place of an empty one."""
        self.adds_line = False
        """The sink gets an empty line that the message lacks, which counts for no limit."""
        self.boundaries: list[bytes] = []
        self._digests: list[bool] = []
        self._lines: list[bytes] = []
        self._size = 0
        self.amid_header = False
        """Whether the header that is being read lacks the end of its line."""
        self._partial_body = False
        self._part()

    def _part(self, *, message: bool = False) -> None:
        """Begin a part: plain text, or a message (the default inside of multipart/digest), in 7 bits."""
        self._message = message
        self._restricted = False
        self._multipart = False
        self._composite = message
        self._global = False
        self.converting = False
        """Whether the body of this part is converted, so that all its lines must be shown."""
        self._encoding = b"7bit"
        self._domain = b"7bit"

    @property
    def opaque(self) -> bool:
        """Whether nothing is left to find: all lines from here on are body."""
        return self.state == BODY and not self.boundaries and not self._strict_body and not self.converting

    @property
    def error(self) -> MimeError | None:
        """The most serious error so far."""
        return next((error for error in ERRORS if error in self.errors), None)

    def _error(self, error: MimeError, text: bytes) -> None:
        if error not in self.errors:
            self.errors.add(error)
            self._sink.mime_error(error, text)

    def feed(self, kind: int, data: bytes) -> None:
        """Take one line (*kind* N) or a piece of one (L) without its newline."""
        if self.state == BODY:
            self._body(kind, data)
            return
        if self.amid_header:
            self._extend(data)
        elif not data:
            self._end_header()
            self._partial_body = kind != _END_OF_LINE
            self._text(kind, data)
            return
        elif data[:1] in (b" ", b"\t") and self._lines:
            self._extend(b"\n" + data)
        elif header_name_end(data):
            self._end_line()
            self._lines = [data]
            self._size = len(data)
        else:
            primary = self.state == PRIMARY
            if primary and not self._disabled:
                self.cut = data
            self._end_header(whole=False)
            if primary:
                self.adds_line = True
                self._sink.body(_END_OF_LINE, b"")
                self.adds_line = False
            self._body(kind, data)
            return
        self.amid_header = kind != _END_OF_LINE

    def skip_primary(self, content_headers: Iterable[tuple[KnownHeader, bytes, bytes]]) -> None:
        """Go on after the empty line of a primary header whose headers the sink has taken by itself.

        *content_headers* are those of them that say what the body is: what is known, name, and body of each.
        """
        for known, name, body in content_headers:
            if not self._disabled:
                self._learn(known, name, body)
        self._end_header()

    def end(self) -> None:
        """Take note that the message has ended, perhaps amid a header."""
        if self.state != BODY:
            self._end_header()
            self.state = BODY
        elif self.converting and self._partial_body:
            self._text(_END_OF_LINE, b"")
            self._partial_body = False

    def _extend(self, data: bytes) -> None:
        # The last piece is taken as a whole: whoever writes the header cuts it.
        if self._size < self._header_limit:
            self._lines.append(data)
            self._size += len(data)

    def _end_line(self) -> None:
        """Hand over the header that has been gathered."""
        if not self._lines:
            return
        text = self._lines[0] if len(self._lines) == 1 else b"".join(self._lines)
        self._lines = []
        name, _, body = text.partition(b":")
        name = name.rstrip(b" \t")
        known = find_header(name)
        checks: HeaderClass = "header"
        if self.state == MIME or (known is not None and known.mime):
            checks = "mime"
        elif self.state == NESTED:
            checks = "nested"
        if self._disabled:
            checks = "header"
        elif known is not None and known.mime:
            self._learn(known, name, body)
        if self._strict_header and not text.isascii():
            self._error(HEADER_8BIT, name + b":" + body)
        converts = self._encoder is not None and self._domain != b"7bit"
        if converts and known is not None and known.name == _ENCODING_HEADER:
            return  # another one comes in its place, at the end of the header
        self._sink.header(checks, known, name, body, self.state)

    def _learn(self, known: KnownHeader, name: bytes, body: bytes) -> None:
        """Learn what a Content-...: header says about the part."""
        if known.name == "Content-Type":
            self._content_type(body, name + b":" + body)
        elif known.name == _ENCODING_HEADER:
            self._content_transfer_encoding(body)

    def _end_header(self, *, whole: bool = True) -> None:
        """End a header of any class and go to what follows it; one without its empty line (*whole*) has a body."""
        self._end_line()
        self.amid_header = False
        if self._encoder is not None and self._domain != b"7bit":
            self._announce_conversion(whole)
        if self.state == PRIMARY:
            self._sink.header_end()
        if self._strict_domain:
            if self._multipart or (self._message and not self._global):
                if self._encoding != self._domain:
                    self._error(ENCODING_DOMAIN, self._encoding)
            elif self._restricted and self._domain != b"7bit":
                self._error(ENCODING_DOMAIN, self._domain)
        if whole and self._message and not self._disabled:
            self.state = NESTED
            self._part()
        else:
            self.state = BODY

    def _announce_conversion(self, whole: bool) -> None:
        """Say what becomes of a part in 8 bits; that of a multipart or a message concerns what is in it."""
        if self._global:
            # What may have 8-bit headers does not become 7-bit by converting what is in it.
            self._message = self._composite = False
        encoding = b" 7bit" if self._composite else b" quoted-printable"
        known = find_header(_ENCODING_HEADER.encode())
        self._sink.header("mime", known, _ENCODING_HEADER.encode(), encoding, self.state)
        self.converting = not self._multipart or not whole
        if not self.converting:
            self._encoding = self._domain = b"7bit"

    def _content_type(self, body: bytes, text: bytes) -> None:
        """Learn the type of the part: multipart/*, message/* or anything else; *text* is the whole header."""
        tokens = content_tokens(body)
        self._part_type(tokens)
        if not self._multipart:
            return
        for index in range(len(tokens) - 3):
            if (
                tokens[index] == ("special", b";")
                and tokens[index + 1][0] == "word"
                and tokens[index + 1][1].lower() == b"boundary"
                and tokens[index + 2] == ("special", b"=")
                and tokens[index + 3][0] != "special"
            ):
                self._push(tokens[index + 3][1], text)
                return

    def _part_type(self, tokens: list[ContentToken]) -> None:
        words = [text.lower() if kind == "word" else b"" for kind, text in tokens[:3]]
        subtype = words[2] if len(words) > 2 and tokens[1] == ("special", b"/") else b""
        main = words[0] if words else b""
        self._multipart = main == b"multipart"
        self._composite = main in (b"multipart", b"message")
        self._global = main == b"message" and subtype == b"global"
        self._digest = self._multipart and subtype == b"digest"
        self._message = main == b"message" and subtype in (b"rfc822", b"global")
        self._restricted = main == b"message" and subtype in (b"partial", b"external-body")

    def _push(self, boundary: bytes, text: bytes) -> None:
        if len(self.boundaries) > self._nesting_limit + 1:
            self._error(NESTING, text)
            return
        self.boundaries.append(boundary[: self._boundary_limit])
        self._digests.append(self._digest)

    def _content_transfer_encoding(self, body: bytes) -> None:
        tokens = content_tokens(body)
        if not tokens or tokens[0][0] != "word":
            return
        word = tokens[0][1].lower()
        if word in (b"7bit", b"8bit", b"binary"):
            self._encoding = self._domain = word
        elif word in (b"base64", b"quoted-printable"):
            self._encoding, self._domain = word, b"7bit"

    def _body(self, kind: int, data: bytes) -> None:
        """Pass on a body line; a boundary begins the header of the next part."""
        if self._partial_body:
            self._partial_body = kind != _END_OF_LINE
        else:
            self._partial_body = kind != _END_OF_LINE
            if self.boundaries and len(data) > 2 and data.startswith(b"--"):
                self._boundary(data)
        if self._strict_body and self._encoding == b"7bit" and not data.isascii():
            self._error(BODY_8BIT, data)
        self._text(kind, data)

    def _text(self, kind: int, data: bytes) -> None:
        """Pass on text of the body, converted where it has to be."""
        if not self.converting:
            self._sink.body(kind, data)
            return
        assert self._encoder is not None  # nothing is converted without
        for line in self._encoder.encode(data, ends=kind == _END_OF_LINE):
            self._sink.body(_END_OF_LINE, line)

    def _boundary(self, data: bytes) -> None:
        for level in range(len(self.boundaries) - 1, -1, -1):
            boundary = self.boundaries[level]
            if data.startswith(boundary, 2):
                closing = data.startswith(b"--", 2 + len(boundary))
                keep = level if closing else level + 1
                digest = self._digests[level]
                del self.boundaries[keep:]
                del self._digests[keep:]
                self._part(message=digest and not closing)
                if not closing:
                    self.state = MIME
                return
