"""Numbers in files and attributes that somebody else may have written."""

from __future__ import annotations

from typing import Final

LARGEST: Final = 2**62
"""No offset, size or time is as large; what is would not fit where the system wants a number."""
_MOST_DIGITS: Final = 18


def whole_number(text: str | bytes, otherwise: int = 0) -> int:
    """Return the value of decimal digits; *otherwise* for any other text, and for more digits than any number needs.

    int() alone takes signs, blanks, underscores and foreign digits, and raises ValueError for thousands of digits.
    """
    return int(text) if len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit() else otherwise
