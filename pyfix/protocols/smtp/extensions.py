"""The ESMTP keywords of smtpd, and how to leave some out.

Source: postconf(5) smtpd_discard_ehlo_keywords.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["DISCARDABLE", "UnknownKeyword", "discarded_keywords", "ehlo_reply"]

DISCARDABLE: Final = frozenset(
    (
        "8bitmime", "auth", "chunking", "dsn", "enhancedstatuscodes", "etrn", "pipelining", "requiretls",
        "size", "smtputf8", "starttls", "verp", "vrfy", "xclient", "xforward",
    )
)  # fmt: skip
"""What smtpd_discard_ehlo_keywords may name; ``silent-discard`` beside them keeps the log quiet."""

SILENT: Final = "silent-discard"


class UnknownKeyword(ValueError):
    """The list has a word that is no keyword; the text names it."""


def discarded_keywords(words: Iterable[str]) -> frozenset[str]:
    """Return the keywords of a list, in lower case.  Raises UnknownKeyword."""
    found = set()
    for word in words:
        keyword = word.lower()
        if keyword == "xverp":
            keyword = "verp"
        if keyword not in DISCARDABLE and keyword != SILENT:
            raise UnknownKeyword(word)
        found.add(keyword)
    return frozenset(found)


def ehlo_reply(hostname: str, keywords: Iterable[str]) -> str:
    """Return the reply to EHLO, its lines separated by newlines."""
    lines = [hostname, *keywords]
    return "\n".join([f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"])
