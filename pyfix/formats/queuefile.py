"""The queue file as a whole: its size record and the order of its segments.

Envelope (from C to M), content (from M to X) and extracted (from X to E) segments follow each
other.  The size record at the start is written with zeros first and in place at the end, so a
file whose first record is still zero was never completed.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Self

from pyfix.formats.number import LARGEST
from pyfix.formats.records import SIZE, encode_record

SIZE_RECORD_BYTES: Final = 97
"""Length of the whole size record: type, length and six numbers of 15 places."""

_SIZE_FORMAT: Final = b"%15d %15d %15d %15d %15d %15d"
_SIZE_RECORD: Final = encode_record(SIZE, b" " * (SIZE_RECORD_BYTES - 2))[:2] + _SIZE_FORMAT
_SIZE_PATTERN: Final = re.compile(rb" *(-?\d+)(?: +(-?\d+))?(?: +(-?\d+))?(?: +(-?\d+))?(?: +(-?\d+))?(?: +(-?\d+))?")

# Bits of the fourth number of the size record, read by qmgr(8).
MIXED_RECIPIENTS: Final = 1
"""Recipients and other records are mixed, so the envelope must be read to its end."""

# Bits of the sixth number (sendopts).
SMTPUTF8_REQUESTED: Final = 1
SMTPUTF8_HEADER: Final = 2
SMTPUTF8_SENDER: Final = 4
SMTPUTF8_RECIPIENT: Final = 8
REQUIRETLS_HEADER: Final = 16
REQUIRETLS_ESMTP: Final = 32

# DSN NOTIFY and RET bits in attributes and requests (RFC 3461).
NOTIFY_NEVER: Final = 1
NOTIFY_SUCCESS: Final = 2
NOTIFY_FAILURE: Final = 4
NOTIFY_DELAY: Final = 8
RET_FULL: Final = 1
RET_HEADERS: Final = 2


class Sizes(NamedTuple):
    """What the size record says."""

    segment: int
    """Bytes between the M and X records, record headers included."""
    data_offset: int
    """Offset of the first byte after the M record."""
    recipients: int
    flags: int
    content: int
    """Bytes of text, a newline counted for each terminated line."""
    options: int

    def encode(self) -> bytes:
        """Return the size record."""
        return _SIZE_RECORD % self

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the payload of a size record; numbers that an old writer left out are 0.

        Raises ValueError when there is no number at all, or one that no file can have.
        """
        found = _SIZE_PATTERN.match(payload)
        if found is None:
            raise ValueError("bad size record")
        numbers = list(map(int, found.groups(b"0")))
        if max(numbers) >= LARGEST or min(numbers) <= -LARGEST:
            raise ValueError("bad size record")
        return tuple.__new__(cls, numbers)


EMPTY_SIZES: Final = encode_record(SIZE, _SIZE_FORMAT % (0, 0, 0, 0, 0, 0))
"""The size record of a file that is still being written."""
