"""Splitting at blanks as Postfix does: at space, tab and line end, and at no others.

``str.split`` would split at U+00A0 and other spaces too, which come into main.cf when text is pasted from a web page.
"""

from __future__ import annotations

__all__ = ["BLANK", "SEPARATORS", "split_blanks"]

BLANK = " \t\r\n\v\f"
"""What is taken off the ends of names and values."""

SEPARATORS = " \t\r\n"
"""What parts the words of a value."""


def split_blanks(text: str) -> list[str]:
    """Return the words of *text*."""
    if text.isascii() and text.isprintable():  # then the only blank in it is the space
        return text.split()
    for blank in SEPARATORS[1:]:
        if blank in text:
            text = text.replace(blank, " ")
    return [word for word in text.split(" ") if word]
