"""The ESMTP keywords of smtpd, and how to leave some out.

Source: postconf(5) smtpd_discard_ehlo_keywords.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["ALL_BUT_STATUS", "DISCARDABLE", "SILENT", "discarded_keywords", "ehlo_reply", "listed"]

DISCARDABLE: Final = (
    "8bitmime", "auth", "etrn", "pipelining", "size", "verp", "vrfy", "xclient", "xforward", "starttls",
    "enhancedstatuscodes", "dsn", "smtputf8", "chunking", "requiretls",
)  # fmt: skip
"""What smtpd_discard_ehlo_keywords may name, in the order of the log."""

SILENT: Final = "silent-discard"
"""Beside them: do not log what is discarded."""

ALL_BUT_STATUS: Final = frozenset(DISCARDABLE) - {"enhancedstatuscodes"} | {SILENT}
"""What a client is not offered that a milter does not want."""


def discarded_keywords(words: Iterable[str]) -> frozenset[str]:
    """Return the known keywords of a list, in lower case; other words mean nothing."""
    return frozenset(word.lower() for word in words).intersection((*DISCARDABLE, SILENT))


def listed(keywords: Iterable[str]) -> str:
    """Return discarded keywords as the log names them."""
    return ", ".join([keyword.upper() for keyword in DISCARDABLE if keyword in frozenset(keywords)])


def ehlo_reply(hostname: str, keywords: Iterable[str]) -> str:
    """Return the reply to EHLO, its lines separated by newlines."""
    lines = [hostname, *keywords]
    return "\n".join([f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"])
