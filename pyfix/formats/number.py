"""Numbers in files and attributes that somebody else may have written."""

from __future__ import annotations

import re
from typing import Final

LARGEST: Final = 2**62
"""No offset, size or time is as large; what is would not fit where the system wants a number."""
_MOST_DIGITS: Final = 18
_BEGINS: Final = re.compile(rb"\s*([+-]?)0*([0-9]*)")
_LONGEST: Final = 2**63 - 1


def whole_number(text: str | bytes, otherwise: int = 0) -> int:
    """Return the value of decimal digits; *otherwise* for any other text, and for more digits than any number needs.

    int() alone takes signs, blanks, underscores and foreign digits, and raises ValueError for thousands of digits.
    """
    return int(text) if len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit() else otherwise


def leading_number(data: bytes) -> int | None:
    """Return the number that *data* begin with, blanks and a sign included, as C's strtol has it; None for no number.

    What is too large or too small for 64 bits is the largest or smallest number of 64 bits.
    """
    found = _BEGINS.match(data)
    assert found is not None  # it matches anything
    sign, digits = found.groups()
    if found.end() == 0 or not data[found.end() - 1 : found.end()].isdigit():
        return None
    value = int(digits or b"0") if len(digits) <= _MOST_DIGITS + 1 else _LONGEST + 1
    return max(-value, -_LONGEST - 1) if sign == b"-" else min(value, _LONGEST)


def in_32_bits(value: int) -> int:
    """Return what is left of a number when it is kept in 32 bits with a sign, as in a C int."""
    return (value + 0x80000000 & 0xFFFFFFFF) - 0x80000000
