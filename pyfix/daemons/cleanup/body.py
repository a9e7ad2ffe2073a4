"""Body records, which go into the queue file in large slices, as they came.

Only the lines that may be MIME boundaries are looked at one by one.  Source: cleanup_replace_stray_cr_lf,
line_length_limit (postconf(5)).
"""

from __future__ import annotations

from typing import Final

from pyfix.daemons.cleanup.message import Message
from pyfix.formats.mime import BODY, MimeParser
from pyfix.formats.records import EXTRACTED, TEXT, UNTERMINATED, decode_record, encode_record, equal_run

STRAY: Final = bytes.maketrans(b"\r\n", b"  ")
"""What becomes of carriage returns and newlines inside of lines."""
_DASH: Final = 0x2D
_CR: Final = 0x0D
_LF: Final = 0x0A

_SHORT: Final = 0x7F
"""The longest line whose length is one byte."""

GOES_ON: Final = 0
"""More bytes are needed."""
HEADER: Final = 1
"""A boundary was found: the header of a part begins."""
ENDED: Final = 2
"""The X record has been taken."""
UNEXPECTED: Final = 3
"""A record stands here that is no text; nothing of it has been taken."""


def pass_short_lines(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Pass over complete lines of less than 128 bytes.

    Returns the offset after them, and how many bytes like CR and LF their lengths are.
    """
    record = position
    ends_in_header = 0
    last_length = -1
    try:
        # Nothing asks whether the data go on: they say so themselves when they do not.
        while data[position] == TEXT:
            length = data[position + 1]
            if length > _SHORT:
                break
            record = position
            if length == last_length:
                # The second line of one length: there may be many, as in an encoded attachment.
                position += max(equal_run(data, position, end), 1) * (length + 2)
                last_length = -1
                continue
            if length == _LF or length == _CR:  # noqa: PLR1714, SIM109  # this is a hot path: a set costs more
                ends_in_header += 1
            else:
                last_length = length
            position += length + 2
    except IndexError:
        pass
    if position > end:
        # The last one is incomplete, and counts when all of it is there.
        position = record
        if data[record + 1] in (_LF, _CR):
            ends_in_header -= 1
    return position, ends_in_header


class BodyCopy:
    """Copies the body records of one message into its queue file."""

    __slots__ = ("_feeding", "_limit", "_message", "_replace", "parser", "position", "unterminated")

    def __init__(self, message: Message) -> None:
        self._message = message
        self.parser: MimeParser | None = None
        """What knows the boundaries of parts; None: there are none, and all from here on is body."""
        self._limit = message.setup.line_limit
        self._replace = message.setup.replace_stray
        self._feeding = False
        self.unterminated = False
        """Whether the last record was a piece of a line."""
        self.position = 0
        """After copy(): the offset of the first byte that was not taken."""

    def copy(self, data: bytes, position: int) -> int:
        """Take the complete records of *data* from *position* on; return what comes next.

        Raises RecordError, SizeLimitExceeded, OSError.
        """
        end = len(data)
        last = end - 1
        limit = self._limit
        parser = self.parser
        watch = parser is not None and bool(parser.boundaries)
        unterminated = self.unterminated
        start = position
        ends_in_header = 0  # bytes CR and LF in the type and length of records, as opposed to their text
        result = GOES_ON
        last_length = -1
        while position < last:
            kind = data[position]
            length = data[position + 1]
            if length < 0x80:
                if kind == TEXT and not watch:
                    begin = position
                    position, ends = pass_short_lines(data, begin, end)
                    if position == begin:
                        break
                    ends_in_header += ends
                    unterminated = False
                    continue
                begin = position + 2
                after = begin + length
                if after > end:
                    break
                if length == _LF or length == _CR:  # noqa: PLR1714, SIM109  # this is a hot path: a set costs more
                    ends_in_header += 1
                elif length == last_length and kind == TEXT and not self._feeding and length <= limit:
                    # The second line of one length: there may be many, as in an encoded attachment.
                    count = equal_run(data, position, end)
                    stop = position + count * (length + 2)
                    if count > 1 and not (watch and _DASH in data[begin : stop : length + 2]):
                        unterminated = False
                        position = stop
                        last_length = -1
                        continue
                last_length = length
            else:
                found = decode_record(data, position, end)
                if found is None:
                    break
                kind, begin, after = found
                ends_in_header += data.count(b"\r", position + 1, begin) + data.count(b"\n", position + 1, begin)
            if kind not in (TEXT, UNTERMINATED):
                self._slice(data, start, position, ends_in_header)
                start = position
                result = UNEXPECTED
                if kind == EXTRACTED:
                    result = ENDED
                    position = start = after
                break
            if (
                parser is not None
                and watch
                and (
                    self._feeding
                    or (not unterminated and after > begin + 1 and data[begin] == _DASH and data[begin + 1] == _DASH)
                )
            ):
                self._slice(data, start, position, ends_in_header)
                start, ends_in_header = after, 0
                self._feeding = kind == UNTERMINATED
                text = data[begin:after]
                parser.feed(kind, text.translate(STRAY) if self._replace else text)
                watch = bool(parser.boundaries)
                if parser.state != BODY:
                    unterminated = self._feeding = False
                    position = after
                    result = HEADER
                    break
            elif after - begin > limit:
                self._slice(data, start, position, ends_in_header)
                start, ends_in_header = after, 0
                self.add(kind, data[begin:after])
            unterminated = kind == UNTERMINATED
            position = after
        if start < position:
            self._slice(data, start, position, ends_in_header)
        self.unterminated = unterminated
        self.position = position
        if result != ENDED:
            self._message.flush()
        return result

    def add(self, kind: int, text: bytes) -> None:
        """Add a piece of text, *kind* N or L, cut up where it is longer than line_length_limit."""
        out = self._message.out
        limit = self._limit
        if self._replace and (b"\r" in text or b"\n" in text):
            text = text.translate(STRAY)
        start = 0
        while len(text) - start > limit:
            out.append(encode_record(UNTERMINATED, text[start : start + limit]))
            start += limit
        out.append(encode_record(kind, text[start:] if start else text))

    def _slice(self, data: bytes, start: int, stop: int, ends_in_header: int) -> None:
        """Add the records between two offsets as they are, or without what is stray in them."""
        if start == stop:
            return
        piece = data[start:stop] if start or stop != len(data) else data
        if ends_in_header:
            # Counting takes many times as long as seeing that there is nothing to count.
            clean = piece.count(b"\r") + piece.count(b"\n") == ends_in_header
        else:
            clean = b"\r" not in piece and b"\n" not in piece
        if clean or not self._replace:
            self._message.out.append(piece)
            return
        position = 0
        while position < len(piece):
            found = decode_record(piece, position, len(piece))
            assert found is not None  # the slice has whole records only
            kind, begin, position = found
            self._message.out.append(encode_record(kind, piece[begin:position].translate(STRAY)))
