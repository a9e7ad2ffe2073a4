"""Which tables proxymap(8) serves: those that proxy_read_maps or proxy_write_maps name with ``proxy:``."""

from __future__ import annotations

from typing import Final

from pyfix.tables.braces import split_words

_PREFIX: Final = "proxy:"


def without_prefix(table: str) -> str:
    """Return a table's name without ``proxy:`` before it, however often it stands there."""
    while table.startswith(_PREFIX):
        table = table[len(_PREFIX) :]
    return table


def approved_tables(value: str) -> frozenset[str]:
    """Return the tables, without their ``proxy:``, in an expanded list of words; an inline table is one word."""
    return frozenset(without_prefix(word) for word in split_words(value) if word.startswith(_PREFIX))
