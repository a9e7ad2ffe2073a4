"""Queue-file records: one type byte, a length in base 128, and the payload.

The same records go from a mail submitter to cleanup(8).  Source: record layout of Postfix
queue files (type, then 7 bits of length a byte, lowest first, top bit says that more follow).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

TYPE_CHECKING = False  # typing costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final, NamedTuple
else:
    from collections import namedtuple

# Record types; the names are those that postcat(1) prints.
SIZE: Final = 0x43  # C message_size
TIME: Final = 0x54  # T message_arrival_time
FULL_NAME: Final = 0x46  # F sender_fullname
INSPECTOR: Final = 0x49  # I content_inspector
FILTER: Final = 0x4C  # L content_filter (envelope and extracted segments)
SENDER: Final = 0x53  # S sender
DONE: Final = 0x44  # D done_recipient
RECIPIENT: Final = 0x52  # R recipient
ORIGINAL_RECIPIENT: Final = 0x4F  # O original_recipient
CANCELED_RECIPIENT: Final = 0x2F  # / canceled_recipient
WARN: Final = 0x57  # W warning_message_time
ATTRIBUTE: Final = 0x41  # A named_attribute
KILLED: Final = 0x4B  # K killed_record
REDIRECT: Final = 0x3E  # > redirect_to
FLAGS: Final = 0x66  # f flags, from smtpd(8) to cleanup(8) only
MESSAGE: Final = 0x4D  # M message_content
UNTERMINATED: Final = 0x4C  # L unterminated_text (content segment)
TEXT: Final = 0x4E  # N regular_text
PADDING: Final = 0x77  # w padding
EXTRACTED: Final = 0x58  # X extracted_info
RETURN_RECEIPT: Final = 0x72  # r return_receipt
ERRORS_TO: Final = 0x65  # e errors_to
PRIORITY: Final = 0x50  # P priority
POINTER: Final = 0x70  # p pointer_record
VERP: Final = 0x56  # V verp_delimiters
MILTER_COUNT: Final = 0x6D  # m milter_count, from smtpd(8) to cleanup(8) only
END: Final = 0x45  # E end
# Older files and submitters write these instead of named attributes.
DSN_ENVELOPE_ID: Final = 0x69  # i
DSN_ORIGINAL_RECIPIENT: Final = 0x6F  # o
DSN_NOTIFY: Final = 0x6E  # n
DSN_RET: Final = 0x3C  # <
CREATE_TIME: Final = 0x63  # c

MAX_LENGTH_BYTES: Final = 4
"""A length of five or more base-128 digits is not one that Postfix writes or reads."""


class RecordError(ValueError):
    """The bytes are not a sequence of records."""


if TYPE_CHECKING:

    class Record(NamedTuple):
        """One record and where it starts."""

        kind: int
        data: bytes
        offset: int

else:
    Record = namedtuple("Record", "kind data offset")


def encode_length(length: int) -> bytes:
    """Return the digits of a record's length."""
    digits = bytearray()
    while length > 0x7F:
        digits.append(length & 0x7F | 0x80)
        length >>= 7
    digits.append(length)
    return bytes(digits)


_PREFIXES: dict[int, list[bytes]] = {}
_TABLE_SIZE = 2049
_FEW: Final = 10
"""Lines for which the table of prefixes is not worth making."""


def _prefixes(kind: int) -> list[bytes]:
    table = _PREFIXES.get(kind)
    if table is None:
        start = bytes([kind])
        table = _PREFIXES[kind] = [start + encode_length(length) for length in range(_TABLE_SIZE)]
    return table


def encode_record(kind: int, data: bytes = b"") -> bytes:
    """Return one record as bytes."""
    length = len(data)
    if length < 0x80:
        return b"%c%c%b" % (kind, length, data)
    return bytes([kind]) + encode_length(length) + data


def encode_attribute(name: str, value: str) -> bytes:
    """Return a named-attribute record."""
    return encode_record(ATTRIBUTE, f"{name}={value}".encode("utf-8", "surrogateescape"))


_SHORT_ATTRIBUTE: Final = [f"{chr(ATTRIBUTE)}{chr(length)}" for length in range(0x80)]
"""How a record begins whose length is one digit."""


def encode_attributes(texts: Sequence[str]) -> bytes:
    """Return a named-attribute record for each ``name=value``."""
    try:
        joined = "".join([_SHORT_ATTRIBUTE[len(text)] + text for text in texts])
        if joined.isascii():
            return joined.encode("ascii")
    except IndexError:
        pass
    return b"".join([encode_record(ATTRIBUTE, text.encode("utf-8", "surrogateescape")) for text in texts])


def encode_lines(lines: Iterable[bytes], limit: int = 2048) -> bytes:
    """Return text records for *lines* (without their newlines).

    A line of more than *limit* bytes (postconf(5) line_length_limit) becomes unterminated
    pieces and a last, terminated one.
    """
    lines = lines if isinstance(lines, list) else list(lines)
    if len(lines) <= _FEW:
        return b"".join([_encode_line(line, limit) for line in lines])
    table = _prefixes(TEXT)
    try:
        # Nothing here is done in Python for each line: big messages have hundreds of thousands.
        parts: list[bytes] = [b""] * (2 * len(lines))
        parts[0::2] = map(table.__getitem__, map(len, lines))
        if limit < _TABLE_SIZE - 1 and lines and len(max(lines, key=len)) > limit:
            raise IndexError
    except IndexError:
        return b"".join([_encode_line(line, limit) for line in lines])
    parts[1::2] = lines
    return b"".join(parts)


def _encode_line(line: bytes, limit: int) -> bytes:
    if len(line) <= limit:
        return encode_record(TEXT, line)
    parts = []
    start = 0
    while len(line) - start > limit:
        parts.append(encode_record(UNTERMINATED, line[start : start + limit]))
        start += limit
    parts.append(encode_record(TEXT, line[start:]))
    return b"".join(parts)


_LONGEST_RUN: Final = 2048


def equal_run(data: bytes, position: int, end: int) -> int:
    """Return how many whole records from *position* on have the type and length (below 128) of the first one.

    Encoded attachments are such runs, and slices find their ends without a look at each record.
    """
    stride = data[position + 1] + 2
    count = min((end - position) // stride, _LONGEST_RUN)
    if count < 3 or data[position + stride : position + stride + 2] != data[position : position + 2]:
        return min(count, 1)
    stop = position + count * stride
    kinds = data[position:stop:stride]
    lengths = data[position + 1 : stop : stride]
    return count - max(len(kinds.lstrip(kinds[:1])), len(lengths.lstrip(lengths[:1])))


def text_of_run(data: bytes, position: int, count: int) -> bytes:
    """Return the text of *count* terminated records that equal_run found, each with its newline."""
    length = data[position + 1]
    text = bytearray(data[position : position + count * (length + 2)])
    del text[0 :: length + 2]
    text[0 :: length + 1] = b"\n" * count
    del text[0]
    text.append(0x0A)
    return bytes(text)


def decode_record(data: bytes | bytearray | memoryview, start: int, end: int) -> tuple[int, int, int] | None:
    """Return (type, payload offset, offset after the record), or None if it is incomplete.

    Raises RecordError for a length that no writer produces.
    """
    position = start + 1
    if position >= end:
        return None
    length = data[position]
    position += 1
    if length & 0x80:
        length &= 0x7F
        shift = 7
        while True:
            if position >= end:
                return None
            digit = data[position]
            position += 1
            length |= (digit & 0x7F) << shift
            if not digit & 0x80:
                break
            shift += 7
            if shift >= 7 * MAX_LENGTH_BYTES:
                raise RecordError(f"too many length bits, record type {data[start]}")
    after = position + length
    if after > end:
        return None
    return data[start], position, after


def what_is_missing(data: bytes) -> str:
    """Say what *data*, the beginning of a record that the end of its file cuts off, lacks."""
    position, length, shift = 1, 0, 0
    while position < len(data):
        digit = data[position]
        length |= (digit & 0x7F) << shift
        if not digit & 0x80:
            return f"unexpected EOF in data, record type {data[0]} length {length}"
        position += 1
        shift += 7
    return f"unexpected EOF reading length, record type {data[0]}"


def read_records(stream: bytes, offset: int = 0, end: int | None = None) -> Iterator[Record]:
    """Yield the records from *offset* (bytes) to the end.

    Raises RecordError for a record that the end of the stream cuts off.
    """
    stop = len(stream) if end is None else end
    while offset < stop:
        found = decode_record(stream, offset, stop)
        if found is None:
            raise RecordError(f"the record at {offset} ends after the stream does")
        kind, begin, after = found
        yield Record(kind, bytes(stream[begin:after]), offset)
        offset = after
