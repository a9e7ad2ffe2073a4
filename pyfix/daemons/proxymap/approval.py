"""Which tables proxymap(8) serves: those that proxy_read_maps or proxy_write_maps name with ``proxy:``."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = re.compile(r"[\s,]+")
_PREFIX: Final = "proxy:"


def approved_tables(value: str) -> frozenset[str]:
    """Return the tables, without their ``proxy:``, in an expanded list of words.

    Braces around an inline table are kept together.
    """
    tables = set()
    for word in _split(value):
        name = word
        if name.startswith(_PREFIX):
            while name.startswith(_PREFIX):
                name = name[len(_PREFIX) :]
            tables.add(name)
    return frozenset(tables)


def _split(value: str) -> list[str]:
    words: list[str] = []
    depth = 0
    for piece in _WORDS.split(value):
        if depth:
            words[-1] += " " + piece
        elif piece:
            words.append(piece)
        depth += piece.count("{") - piece.count("}")
        depth = max(depth, 0)
    return words
