"""The primary header of an ordinary message, taken at one glance.

Most headers are copied as they came.  When a whole header is there, without anything odd in it, its records go into the
queue file in slices, and only the headers that mean something to the mail system are looked at.  Whatever is odd (a
header in pieces, bytes outside of ASCII, NUL, stray ends of lines, a blank before a colon) is left to the parser, which
sees line by line.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, NamedTuple

from pyfix.formats.header import KnownHeader, find_header
from pyfix.formats.records import TEXT, decode_record

_NAME: Final = re.compile(rb"[\x21-\x39\x3b-\x7e]+")
_HIGH: Final = bytes(range(0x80, 0x100))
_MOST_NAMES: Final = 2000
_BLANKS: Final = b" \t"
_LF: Final = 0x0A
_CR: Final = 0x0D

_UNKNOWN_DROPPED: Final = KnownHeader("")
"""Stands for a header that is not known but in message_drop_headers."""


class HeaderNames(dict[bytes, KnownHeader | bool]):
    """What to do with a header by its name, as written: False: copy it; True: it is none."""

    def __init__(self, dropped: Collection[bytes]) -> None:
        """*dropped* is message_drop_headers in lower case."""
        super().__init__()
        self._dropped = dropped

    def __missing__(self, name: bytes) -> KnownHeader | bool:
        """Find out about a name that was not met before."""
        known: KnownHeader | bool
        if _NAME.fullmatch(name) is None:
            known = True
        else:
            known = find_header(name) or (_UNKNOWN_DROPPED if name.lower() in self._dropped else False)
        if len(self) < _MOST_NAMES:
            self[name] = known
        return known


class Special(NamedTuple):
    """A header that is not just copied: where its records, its text and its colon are."""

    known: KnownHeader
    start: int
    begin: int
    colon: int
    after: int
    """Offset after its first record."""
    end: int
    """Offset after its last record."""


def scan_header(
    data: bytes, start: int, names: HeaderNames, line_limit: int, header_limit: int
) -> tuple[list[Special], int] | None:
    """Find the headers that matter among the records from *start* on.

    Returns them and the offset of the empty line that ends the header; None when the header is not all there or not
    ordinary.
    """
    end = len(data)
    last = end - 1
    found: list[Special] = []
    known: KnownHeader | None = None
    position = record = text = colon = following = start
    ends_in_lengths = long_lines = 0
    find = data.find
    while position < last:
        if data[position] != TEXT:
            return None
        length = data[position + 1]
        if length < 0x80:
            begin = position + 2
            if not length:
                break
            if length == _LF or length == _CR:  # noqa: PLR1714, SIM109  # this is a hot path: a set costs more
                ends_in_lengths += 1
        else:
            digit = data[position + 2] if position + 2 < end else 0x80
            if digit >= 0x80:
                return None
            begin = position + 3
            length = length & 0x7F | digit << 7
            long_lines += 1
            if digit == _LF or digit == _CR:  # noqa: PLR1714, SIM109  # as above
                ends_in_lengths += 1
            if length > line_limit:
                return None
        after = begin + length
        if after > end:
            return None
        if data[begin] in _BLANKS:
            if position == start:
                return None
        else:
            if known is not None:
                found.append(Special(known, record, text, colon, following, position))
                known = None
            colon = find(b":", begin, after)
            if colon < 0:
                return None
            entry = names[data[begin:colon]]
            if entry is not False:
                if entry is True:
                    return None
                known, record, text, following = entry, position, begin, after
        position = after
    else:
        return None
    if known is not None:
        found.append(Special(known, record, text, colon, following, position))
    region = data[start:position]
    if position - start > header_limit or b"\0" in region:
        return None
    if region.count(b"\n") + region.count(b"\r") != ends_in_lengths:
        return None
    if not region.isascii() and len(region) - len(region.translate(None, _HIGH)) != long_lines:
        return None
    return found, position


def body_of(data: bytes, header: Special) -> bytes:
    """Return what follows the colon of a header, its lines separated by newlines."""
    first = data[header.colon + 1 : header.after]
    if header.after == header.end:
        return first
    lines = [first]
    position = header.after
    while position < header.end:
        found = decode_record(data, position, header.end)
        assert found is not None  # scan_header has seen that they are complete
        _, begin, position = found
        lines.append(data[begin:position])
    return b"\n".join(lines)
