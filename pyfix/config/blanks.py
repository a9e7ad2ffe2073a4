"""Splitting at blanks as C does: the blanks of ASCII, and no others.

``str.split`` would split at U+00A0 and other spaces too, which come into main.cf when text is pasted from a web page.
"""

from __future__ import annotations

__all__ = ["BLANK", "split_blanks"]

BLANK = " \t\r\n\v\f"


def split_blanks(text: str) -> list[str]:
    """Return the words between blanks."""
    if text.isascii() and text.isprintable():  # then the only blank in it is the space
        return text.split()
    for blank in BLANK[1:]:
        if blank in text:
            text = text.replace(blank, " ")
    return [word for word in text.split(" ") if word]
