"""Words of a list that look like a comment: main.cf has none behind other text, but people write them."""

from __future__ import annotations

from pyfix.config.blanks import SEPARATORS

__all__ = ["comment_after_text"]

_BETWEEN = "," + SEPARATORS
_MOST_SHOWN = 20
"""Bytes."""


def comment_after_text(value: str, comment: str) -> str:
    """Return Postfix's complaint about the word *comment*, the first one of *value* that begins with ``#``."""
    at = value.find(comment)
    while at and value[at - 1] not in _BETWEEN:
        at = value.find(comment, at + 1)
    after = value[at + len(comment) + 1 :].encode("utf-8", "surrogateescape")[:_MOST_SHOWN]
    return f"#comment after other text is not allowed: {comment} {after.decode('utf-8', 'surrogateescape')}..."
