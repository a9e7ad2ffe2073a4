"""What a server offers in its reply to EHLO or LHLO, as a client reads it.

Source: RFC 5321 section 4.1.1.1; postconf(5) smtp_discard_ehlo_keywords; XFORWARD_README.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

__all__ = ["DISCARDABLE", "Offer"]

DISCARDABLE: Final = (
    "8bitmime", "auth", "etrn", "pipelining", "size", "verp", "vrfy", "xclient", "xforward", "starttls",
    "enhancedstatuscodes", "dsn", "smtputf8", "chunking", "requiretls",
)  # fmt: skip
_SEPARATORS: Final = re.compile(r"[ \t=]+")
_XFORWARD: Final = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")


class Offer:
    """The keywords of one server, less those that are not believed."""

    __slots__ = ("keywords", "mechanisms", "size_limit", "xforward")

    def __init__(self) -> None:
        self.keywords: set[str] = set()
        """In capital letters."""
        self.size_limit = 0
        """Bytes of a message; 0: the server does not say."""
        self.xforward: frozenset[str] = frozenset()
        """The attributes that XFORWARD may have."""
        self.mechanisms = ""
        """What stands after AUTH, all lines of it together."""

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.keywords

    def read(self, text: str, discard: Iterable[str], warn: Callable[[str], None]) -> None:
        """Take the keywords of a reply, its lines separated by newlines, but none of *discard* (in lower case)."""
        unwanted = frozenset(discard)
        for line in text.split("\n")[1:]:
            words = _SEPARATORS.split(line[4:].strip(" \t="), maxsplit=1)
            keyword = words[0].upper()
            rest = words[1] if len(words) > 1 else ""
            if not keyword or keyword.lower() in unwanted:
                continue
            self.keywords.add(keyword)
            match keyword:
                case "SIZE":
                    self._size(rest, warn)
                case "XFORWARD":
                    self.xforward = frozenset(word.upper() for word in rest.split()).intersection(_XFORWARD)
                case "AUTH":
                    self.mechanisms = f"{self.mechanisms} {rest}".strip()

    def _size(self, rest: str, warn: Callable[[str], None]) -> None:
        limit = rest.split(None, 1)[0] if rest.strip() else ""
        if not limit:
            return
        if limit.isdigit():
            self.size_limit = int(limit)
        else:
            self.keywords.discard("SIZE")
            warn(limit)
