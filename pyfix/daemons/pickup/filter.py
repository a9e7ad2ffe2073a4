"""What of a posted file may go to cleanup(8), and what is added on the way.

The file is from a local user and may hold anything.  Source: pickup(8); RFC 5321 section 4.4 (Received:).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from pyfix.formats.records import (
    ATTRIBUTE,
    CANCELED_RECIPIENT,
    CREATE_TIME,
    DONE,
    DSN_ENVELOPE_ID,
    DSN_NOTIFY,
    DSN_ORIGINAL_RECIPIENT,
    DSN_RET,
    END,
    ERRORS_TO,
    EXTRACTED,
    FILTER,
    FULL_NAME,
    INSPECTOR,
    KILLED,
    MESSAGE,
    ORIGINAL_RECIPIENT,
    PADDING,
    POINTER,
    PRIORITY,
    RECIPIENT,
    REDIRECT,
    RETURN_RECEIPT,
    SENDER,
    SIZE,
    TEXT,
    TIME,
    UNTERMINATED,
    VERP,
    WARN,
    decode_record,
    encode_record,
)

_RECIPIENTS: Final = (
    DONE, RECIPIENT, ORIGINAL_RECIPIENT, CANCELED_RECIPIENT, KILLED, DSN_ORIGINAL_RECIPIENT, DSN_NOTIFY,
)  # fmt: skip
_SKIPPED: Final = frozenset((PADDING, POINTER))
"""Traces of milters in a file that was queued before."""
_ENVELOPE: Final = frozenset((
    ATTRIBUTE, CREATE_TIME, DSN_ENVELOPE_ID, DSN_RET, FULL_NAME, INSPECTOR, SENDER, SIZE, TIME, VERP, WARN,
    *_RECIPIENTS,
))  # fmt: skip
_ENVELOPE_DROPPED: Final = frozenset((FILTER, REDIRECT))
"""Not for users to decide."""
_EXTRACTED: Final = frozenset((PRIORITY, FULL_NAME, INSPECTOR, *_RECIPIENTS))
_EXTRACTED_DROPPED: Final = frozenset((FILTER, REDIRECT, RETURN_RECEIPT, ERRORS_TO))
_KEPT_ATTRIBUTES: Final = frozenset((b"create_time", b"dsn_orig_rcpt", b"envelope_id", b"notify_flags", b"ret_flags"))
"""Attributes that may stand after the content."""

_EOF: Final = -1
_ERROR: Final = -2


class Malformed(Exception):
    """The file is not one that postdrop(1) or cleanup(8) wrote.  It is deleted."""

    def __init__(self, kind: int, detail: str = "") -> None:
        super().__init__(f"unexpected or malformed record type {kind}")
        self.detail = detail
        """What is wrong with the record itself, if anything."""


class NoSender(Exception):
    """The envelope has no sender.  The file is deleted."""


class PostedFilter:
    """Passes the records of one posted file on, block by block.

    *limit* is line_length_limit; *begin* gets the sender when the content begins, and returns the lines of a Received:
    header to put first.
    """

    __slots__ = ("_begin", "_dated", "_limit", "_rest", "_segment", "_sender", "done")

    def __init__(self, limit: int, begin: Callable[[bytes], list[bytes]]) -> None:
        self._limit = limit
        self._begin = begin
        self._rest = b""
        self._segment = MESSAGE  # the record type that ends it: M, X or E
        self._dated = False
        self._sender: bytes | None = None
        self.done = False
        """Whether the E record was passed on."""

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the file and return what may go on.  Raises Malformed or NoSender."""
        if self.done:
            return b""
        data = self._rest + data if self._rest else data
        out: list[bytes] = []
        position, end = 0, len(data)
        while not self.done:
            if self._segment == EXTRACTED:
                position = self._content(data, position, out)
                if self._segment == EXTRACTED:
                    break
            found = self._next(data, position, end)
            if found is None:
                break
            kind, begin, after = found
            if self._segment == MESSAGE:
                self._envelope(kind, data[begin:after], out)
            else:
                self._extracted(kind, data[begin:after], out)
            position = after
        self._rest = data[position:]
        return b"".join(out)

    def end(self) -> None:
        """Take note that the file has ended.  Raises Malformed when the message had not."""
        if self.done:
            return
        if not self._rest:
            raise Malformed(_EOF)
        kind = self._rest[0]
        raise Malformed(_ERROR, f"unexpected EOF in data, record type {kind} length {_length(self._rest)}")

    def _next(self, data: bytes, position: int, end: int) -> tuple[int, int, int] | None:
        try:
            found = decode_record(data, position, end)
        except ValueError:
            raise Malformed(_ERROR, f"too many length bits, record type {data[position]}") from None
        length = found[2] - found[1] if found is not None else _length(data[position : position + 8])
        if length > self._limit:
            raise Malformed(_ERROR, f"illegal length {length}, record type {data[position]}")
        return found

    def _envelope(self, kind: int, payload: bytes, out: list[bytes]) -> None:
        if kind == MESSAGE:
            if self._sender is None:
                raise NoSender
            out.append(encode_record(MESSAGE))
            out.extend([encode_record(TEXT, line) for line in self._begin(self._sender)])
            self._segment = EXTRACTED
            return
        if kind in _SKIPPED or kind in _ENVELOPE_DROPPED:
            return
        if kind not in _ENVELOPE:
            raise Malformed(kind)
        if kind == TIME:
            self._dated = True
        elif kind == SENDER:
            if not self._dated:
                self._dated = True
                out.append(encode_record(TIME, b"%d" % time.time()))
            if self._sender is None:
                self._sender = payload
        out.append(encode_record(kind, payload))

    def _content(self, data: bytes, position: int, out: list[bytes]) -> int:
        """Pass text records on, in slices; return the offset after the last one."""
        start = position
        end = len(data)
        while True:
            found = self._next(data, position, end)
            if found is None:
                break
            kind, _begin, after = found
            if kind not in (TEXT, UNTERMINATED):
                if start < position:
                    out.append(data[start:position])
                if kind == EXTRACTED:
                    out.append(encode_record(EXTRACTED))
                    self._segment = END
                    return after
                if kind not in _SKIPPED:
                    raise Malformed(kind)
                start = after
            position = after
        if start < position:
            out.append(data[start:position])
        return position

    def _extracted(self, kind: int, payload: bytes, out: list[bytes]) -> None:
        if kind == END:
            self.done = True
        elif kind in _SKIPPED or kind in _EXTRACTED_DROPPED:
            return
        elif kind == ATTRIBUTE:
            name, equals, _value = payload.partition(b"=")
            name = name.strip()
            if equals and name and name not in _KEPT_ATTRIBUTES:
                return
        elif kind not in _EXTRACTED:
            raise Malformed(kind)
        out.append(encode_record(kind, payload))


def _length(data: bytes) -> int:
    """Return the length that the record at the start of *data* says it has; its payload may be missing."""
    length = shift = 0
    for digit in data[1:]:
        length |= (digit & 0x7F) << shift
        if not digit & 0x80:
            break
        shift += 7
    return length
