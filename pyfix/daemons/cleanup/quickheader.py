"""The primary header of an ordinary message, taken at one glance.

Most headers are copied as they came.  When a whole header is there, without anything odd in it, its records go into the
queue file in slices, and only the headers that mean something to the mail system are looked at.  Whatever is odd (a
header in pieces, bytes outside of ASCII, NUL, stray ends of lines, a blank before a colon) is left to the parser, which
sees line by line.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from pyfix.formats.header import KnownHeader, find_header
from pyfix.formats.records import TEXT, decode_record

_NAME: Final = re.compile(rb"[\x21-\x39\x3b-\x7e]+")
_HIGH: Final = bytes(range(0x80, 0x100))
_MOST_NAMES: Final = 2000
_LF: Final = 0x0A
_CR: Final = 0x0D
_TAB: Final = 0x09
_BLANK: Final = 0x20
RECEIVED: Final = "Received"
_NOTED: Final = frozenset(("Message-Id", "TLS-Required", "Require-TLS-ESMTP"))
"""Headers whose text means something, beside those with addresses and those of MIME."""

_UNKNOWN_DROPPED: Final = KnownHeader("")
"""Stands for a header that is not known but in message_drop_headers."""

Special = tuple[KnownHeader, bytes, bytes, int, int]
"""A header that is not just copied: what is known of it, its name as written, its body, the offset of its first record
and the one after its last.  (A named tuple takes longer to make than all else here.)"""


class HeaderNames(dict[bytes, KnownHeader | str | bool]):
    """What to do with a header by its name, as written: False: copy it; True: it is none; str: note it, and copy it."""

    def __init__(self, dropped: Collection[bytes]) -> None:
        """*dropped* is message_drop_headers in lower case."""
        super().__init__()
        self._dropped = dropped

    def __missing__(self, name: bytes) -> KnownHeader | str | bool:
        """Find out about a name that was not met before."""
        found = True if _NAME.fullmatch(name) is None else self._find(name)
        if len(self) < _MOST_NAMES:
            self[name] = found
        return found

    def _find(self, name: bytes) -> KnownHeader | str | bool:
        known = find_header(name)
        if name.lower() in self._dropped:
            # Hops that are not kept are for the parser to count.
            return True if known is not None and known.name == RECEIVED else known or _UNKNOWN_DROPPED
        if known is None:
            return False
        if known.sender or known.recipient or known.mime or known.resent or known.name in _NOTED:
            return known
        return known.name


def scan_header(
    data: bytes, start: int, names: HeaderNames, line_limit: int, header_limit: int
) -> tuple[list[Special], list[str], int] | None:
    """Find the headers that matter among the records from *start* on.

    Returns them, the names of those that are only to be noted, and the offset of the empty line that ends the header;
    None when the header is not all there or not ordinary.
    """
    # Only a record without text has a NUL byte, in the place of its length, and that is the end of the header.
    stop = data.find(b"\0", start) - 1
    if stop < start or data[stop] != TEXT or stop - start > header_limit:
        return None
    found: list[tuple[KnownHeader, int, int, int, int, int]] = []
    titles: list[str] = []
    known: KnownHeader | None = None
    position = record = text = colon = following = start
    ends_in_lengths = long_lines = 0
    find = data.find
    while position < stop:
        if data[position] != TEXT:
            return None
        length = data[position + 1]
        begin = position + 2
        if length >= 0x80:
            digit = data[begin]
            if digit >= 0x80:
                return None
            begin += 1
            length = length & 0x7F | digit << 7
            long_lines += 1
            if digit == _LF or digit == _CR:  # noqa: PLR1714, SIM109  # this is a hot path: a set costs more
                ends_in_lengths += 1
            if length > line_limit:
                return None
        elif length == _LF or length == _CR:  # noqa: PLR1714, SIM109  # as above
            ends_in_lengths += 1
        after = begin + length
        first = data[begin]
        if first == _BLANK or first == _TAB:  # noqa: PLR1714, SIM109  # as above
            if position == start:
                return None
        else:
            if known is not None:
                found.append((known, record, text, colon, following, position))
                known = None
            colon = find(b":", begin, after)
            if colon < 0:
                return None
            entry = names[data[begin:colon]]
            if entry is not False:
                if entry is True:
                    return None
                if isinstance(entry, str):
                    titles.append(entry)
                else:
                    known, record, text, following = entry, position, begin, after
        position = after
    if position != stop:
        return None
    if known is not None:
        found.append((known, record, text, colon, following, position))
    region = data[start:position]
    if region.count(b"\n") + region.count(b"\r") != ends_in_lengths:
        return None
    if not region.isascii() and len(region) - len(region.translate(None, _HIGH)) != long_lines:
        return None
    specials = [
        (known, data[text:colon], _body(data, colon, following, end), record, end)
        for known, record, text, colon, following, end in found
    ]
    return specials, titles, position


def _body(data: bytes, colon: int, after: int, end: int) -> bytes:
    """Return what follows the colon of a header, its lines separated by newlines.

    *after* and *end* are the offsets after its first and last record.
    """
    first = data[colon + 1 : after]
    if after == end:
        return first
    lines = [first]
    position = after
    while position < end:
        found = decode_record(data, position, end)
        assert found is not None  # scan_header has seen that they are complete
        _, begin, position = found
        lines.append(data[begin:position])
    return b"\n".join(lines)
