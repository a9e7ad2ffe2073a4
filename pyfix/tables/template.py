"""Templates of queries and results: ``%s``, ``%u``, ``%d``, ``%1`` and so on.

Source: sqlite_table(5), mysql_table(5), pgsql_table(5), ldap_table(5), memcache_table(5).
"""

from __future__ import annotations

import re

from pyfix.tables.table import TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from pyfix.tables.matchlist import MatchList
    from pyfix.tables.parameters import TableParameters
    from pyfix.tables.table import Opening

_PARTS: Final = re.compile(r"%(.?)", re.DOTALL)
_KNOWN: Final = frozenset("%sudSUD123456789")


class _NothingToSay(Exception):
    """The key or the value has no such part."""


def _same(text: str) -> str:
    return text


class Address:
    """The parts of a key or value: ``user@domain``, at the last ``@``."""

    __slots__ = ("domain", "text", "user")

    def __init__(self, text: str) -> None:
        self.text: Final = text
        user, at, domain = text.rpartition("@")
        self.user: Final = user if at else text
        self.domain: Final = domain if at else ""


def _expand(letter: str, address: Address) -> str:
    match letter:
        case "s":
            return address.text
        case "u":
            if not address.user:
                raise _NothingToSay
            return address.user
        case "d":
            if not address.domain:
                raise _NothingToSay
            return address.domain
        case _:
            labels = [label for label in address.domain.split(".") if label]
            number = int(letter)
            if len(labels) < number:
                raise _NothingToSay
            return labels[-number]


class Template:
    """One template, taken apart."""

    def __init__(self, text: str, source: str, what: str = "query") -> None:
        """*source* and *what* are for the error about a template that is malformed.  Raises TableError."""
        self.text: Final = text
        pieces: list[tuple[str, str]] = []
        end = 0
        for match in _PARTS.finditer(text):
            if match[1] not in _KNOWN:
                raise TableError(f"db_common_parse: {source}: Invalid {what} template: {text}")
            pieces.append((text[end : match.start()], match[1]))
            end = match.end()
        self._pieces: Final = pieces
        self._rest: Final = text[end:]
        self.varies: Final = any(letter != "%" for _, letter in pieces)
        """Whether anything of the key or value stands in it."""

    def has_parts_of(self, key: str) -> bool:
        """Say whether *key* has the parts that a template of results wants of it."""
        address = Address(key)
        try:
            for _, letter in self._pieces:
                if letter not in "%sud":
                    _expand(letter.lower(), address)
        except _NothingToSay:
            return False
        return True

    def expand(self, value: str, key: str | None = None, quote: Callable[[str], str] = _same) -> str | None:
        """Return the text with the parts of *value* in it, quoted; None when *value* or *key* lacks such a part.

        Without *key* this is a query, and *value* the key: then ``%S`` is the same as ``%s``.
        """
        if not value:
            return None
        plain = Address(value)
        upper = plain if key is None else Address(key)
        made: list[str] = []
        try:
            for before, letter in self._pieces:
                made.append(before)
                if letter == "%":
                    made.append("%")
                else:
                    of = plain if letter in "sud" else upper
                    made.append(quote(_expand(letter.lower(), of)))
        except _NothingToSay:
            return None
        made.append(self._rest)
        return "".join(made)


class DomainFilter:
    """The ``domain`` parameter: which keys are looked up at all."""

    def __init__(self, parameters: TableParameters, opening: Opening) -> None:
        text = parameters.text("domain")
        self._list: MatchList | None = None
        if text:
            from pyfix.tables.matchlist import MatchList

            self._list = MatchList("domain", text, opening.snapshot, match_parents=False, strict=True)

    def _domain(self, key: str) -> str:
        user, _, domain = key.rpartition("@")
        return domain if user else ""

    def accepts_now(self, key: str) -> bool:
        """Say whether *key* has a localpart and a domain of the list, if there is one.  Raises TableError."""
        if self._list is None:
            return True
        domain = self._domain(key)
        return bool(domain) and self._list.matches_string(domain)

    async def accepts(self, key: str) -> bool:
        """Answer as accepts_now(), with tables that may wait."""
        if self._list is None:
            return True
        domain = self._domain(key)
        return bool(domain) and await self._list.ask_string(domain)
