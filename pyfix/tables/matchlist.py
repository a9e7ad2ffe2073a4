"""Match lists: mynetworks, mydestination, relay_domains and their like.

A list has names, domains, networks, ``/file`` (whose words stand in its place) and
``type:table``; a ``!`` before a pattern says that what it matches is not in the list.
The first pattern that matches decides.  Source: postconf(5) mynetworks, mydestination,
parent_domain_matches_subdomains.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyfix.config.comments import comment_after_text
from pyfix.config.errors import ConfigError
from pyfix.tables import flags as bits
from pyfix.tables.braces import split_words
from pyfix.tables.network import NetworkError, packed_address, parse_network
from pyfix.tables.notice import warn
from pyfix.tables.source import open_or_unavailable, open_table, unavailable
from pyfix.tables.table import Table, TableError, fold
from pyfix.tables.textfile import logical_lines, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyfix.tables.table import Values

_CACHE_SIZE: Final = 1000
_PARENTS: Final = "parent_domain_matches_subdomains"


class _Plain:
    """Neighbouring patterns without tables and with the same sign."""

    __slots__ = ("blocks", "broken", "names", "negated", "suffixes")

    def __init__(self, negated: bool) -> None:
        self.negated: Final = negated
        self.names: set[str] = set()
        self.suffixes: set[str] = set()
        """Patterns as ``.domain``, which match what ends with them."""
        self.blocks: list[tuple[int, int, int]] = []
        """Address size in bytes, network mask, network."""
        self.broken: tuple[str, bool] | None = None
        """What is wrong with a pattern that looks like a network, which matters when an address is asked for.

        And whether only an IPv6 address can be meant."""


class _Lookup:
    """A pattern that is a lookup table."""

    __slots__ = ("negated", "table")

    def __init__(self, negated: bool, table: Table) -> None:
        self.negated: Final = negated
        self.table: Final = table


def parent_matches(parameter_name: str, snapshot: Values | None) -> bool:
    """Say whether parent_domain_matches_subdomains names this parameter."""
    if snapshot is None:
        return False
    value = snapshot.value(_PARENTS)
    return parameter_name in _before_comment(_PARENTS, split_words(value), value)


def _before_comment(name: str, words: Sequence[str], value: str) -> Sequence[str]:
    """Return the *words* of *value* without those from the first on that looks like a comment; warn of that one."""
    for position, word in enumerate(words):
        if word.startswith("#"):
            warn(f"{name}: {comment_after_text(value, word)}")
            return words[:position]
    return words


class MatchList:
    """The patterns of one parameter."""

    def __init__(
        self,
        parameter_name: str,
        patterns: str | Sequence[str],
        snapshot: Values | None = None,
        *,
        match_parents: bool | None = None,
        flags: int = bits.ORDINARY,
        strict: bool = False,
        warns: bool = True,
    ) -> None:
        """Read the files and open the tables that the patterns name.

        One that can't be opened is logged, and what is asked of the list then fails when
        it comes to that pattern; with *strict*, as commands want it, TableError is raised at once.
        Raises ConfigError for an exclamation mark that stands alone.

        *warns*: a table that can't be asked is told of in the log; without it only ``problem`` says which.

        *match_parents*: ``domain`` matches ``sub.domain`` as well; without it
        parent_domain_matches_subdomains decides.
        """
        self.parameter_name: Final = parameter_name
        self.match_parents: Final = parent_matches(parameter_name, snapshot) if match_parents is None else match_parents
        self._utf8: Final = snapshot is None or snapshot.value("smtputf8_enable").lower() == "yes"
        self._snapshot: Final = snapshot
        self._flags: Final = flags
        self._strict: Final = strict
        self._warns: Final = warns
        self.problem = ""
        """What was wrong with the table that could not be asked last."""
        self._items: Final[list[_Plain | _Lookup]] = []
        words = split_words(patterns) if isinstance(patterns, str) else patterns
        if any(word.startswith("#") for word in words):
            written = " ".join(words) if snapshot is None else snapshot.value(parameter_name)
            words = _before_comment(parameter_name, words, patterns if isinstance(patterns, str) else written)
        self._add(words, False, 0)
        tables = [item.table for item in self._items if isinstance(item, _Lookup)]
        self.local: Final = all(table.local for table in tables)
        """True when no pattern asks another process."""
        self._cache: Final[dict[str, bool] | None] = None if tables else {}

    def __bool__(self) -> bool:
        """Say whether there is any pattern."""
        return bool(self._items)

    # Reading the patterns

    def _add(self, words: Sequence[str], negated: bool, depth: int) -> None:
        for word in words:
            pattern = word.lstrip("!")
            sign = negated ^ bool((len(word) - len(pattern)) & 1)
            if not pattern:
                raise ConfigError(f"{self.parameter_name}: no pattern after '!'")
            if pattern.startswith("/"):
                self._add_file(pattern, sign, depth)
            elif ":" in pattern and not pattern.startswith("["):
                self._items.append(_Lookup(sign, self._open(pattern)))
            else:
                self._add_plain(fold(pattern, self._utf8), sign)

    def _open(self, reference: str) -> Table:
        if self._strict:
            return open_table(reference, self._snapshot, flags=self._flags)
        return open_or_unavailable(reference, self._snapshot, flags=self._flags)

    def _add_file(self, path: str, negated: bool, depth: int) -> None:
        try:
            if depth > 20:
                raise TableError(f"{path}: files include each other")
            text = read_text(path, "open file")
        except TableError as error:
            if self._strict:
                raise
            table = unavailable(f"non-existent:{path}", self._snapshot, str(error), flags=self._flags, again=False)
            self._items.append(_Lookup(negated, table))
            return
        for _, line in logical_lines(text, path):
            self._add(_before_comment(self.parameter_name, split_words(line), line), negated, depth + 1)

    def _plain(self, negated: bool) -> _Plain:
        last = self._items[-1] if self._items else None
        # What is broken matters only when nothing before it matches, so it ends its group.
        if isinstance(last, _Plain) and last.negated == negated and not last.broken:
            return last
        plain = _Plain(negated)
        self._items.append(plain)
        return plain

    def _add_plain(self, pattern: str, negated: bool) -> None:
        plain = self._plain(negated)
        plain.names.add(pattern)
        if pattern.startswith(".") and not self.match_parents:
            plain.suffixes.add(pattern)
        of_v6 = bool(pattern.strip("0123456789./[]"))
        if of_v6 and (pattern[0] != "[" or pattern.strip("0123456789abcdef:./[]")):
            return
        inside = pattern[1:-1] if f"{pattern[0]}{pattern[-1]}" == "[]" else pattern
        if "/" not in pattern and packed_address(inside) is None:
            return  # part of an address, or a number: it can only equal a name
        try:
            plain.blocks.append(parse_network(pattern))
        except NetworkError as error:
            plain.broken = (str(error), of_v6)

    # Asking

    def _decide_plain(self, plain: _Plain, name: str | None, address: str | None) -> bool:
        if name is not None:
            if name in plain.names:
                return True
            if self.match_parents:
                at = name.find(".") + 1
                while at:
                    if name[at:] in plain.names:
                        return True
                    at = name.find(".", at) + 1
            elif plain.suffixes:
                at = name.find(".", 1)
                while at > 0:
                    if name[at:] in plain.suffixes:
                        return True
                    at = name.find(".", at + 1)
        if address is not None:
            if address in plain.names:
                return True
            if plain.blocks:
                packed = packed_address(address)
                if packed is not None:
                    size, number = len(packed), int.from_bytes(packed)
                    for block_size, mask, network in plain.blocks:
                        if size == block_size and number & mask == network:
                            return True
            if plain.broken is not None and (":" in address or not plain.broken[1]):
                self._refuse(plain.broken[0])
        return False

    def _refuse(self, reason: str) -> None:
        warn(f"{self.parameter_name}: {reason}")
        raise TableError(f"{self.parameter_name}: {reason}")

    def _keys(self, table: Table, name: str | None, address: str | None, parents: bool) -> list[str]:
        keys = []
        if name:
            keys.append(name)
            if parents and not table.pattern:
                at = name.find(".", 1)
                while at > 0:
                    keys.append(name[at + 1 :] if self.match_parents else name[at:])
                    at = name.find(".", at + 1)
        if address:
            keys.append(address)
        return keys

    def _table_failed(self, table: Table) -> None:
        self.problem = f"{self.parameter_name}: {table.name}: table lookup problem"
        if self._warns:
            warn(self.problem)

    def _decide_now(self, name: str | None, address: str | None, parents: bool) -> bool:
        for item in self._items:
            if isinstance(item, _Plain):
                if self._decide_plain(item, name, address):
                    return not item.negated
                continue
            for key in self._keys(item.table, name, address, parents):
                try:
                    if item.table.find_now(key) is not None:
                        return not item.negated
                except TableError:
                    self._table_failed(item.table)
                    raise
        return False

    async def _decide(self, name: str | None, address: str | None, parents: bool) -> bool:
        for item in self._items:
            if isinstance(item, _Plain):
                if self._decide_plain(item, name, address):
                    return not item.negated
                continue
            for key in self._keys(item.table, name, address, parents):
                try:
                    if await item.table.find(key) is not None:
                        return not item.negated
                except TableError:
                    self._table_failed(item.table)
                    raise
        return False

    def _cached(self, key: str, name: str | None, address: str | None) -> bool:
        """Answer from patterns alone; lists without tables give the same answer for ever."""
        cache = self._cache
        assert cache is not None
        answer = cache.get(key)
        if answer is None:
            if len(cache) >= _CACHE_SIZE:
                cache.clear()
            answer = cache[key] = self._decide_now(name, address, True)
        return answer

    def matches_address(self, address: str) -> bool:
        """Say whether the list has the IP address (text, without brackets).  Raises TableError."""
        if self._cache is not None:
            return self._cached(address, None, address)
        return self._decide_now(None, address, False)

    def matches_domain(self, name: str) -> bool:
        """Say whether the list has the domain, or a parent of it where the list's style allows.  Raises TableError."""
        if self._cache is not None:
            return self._cached("@" + name, fold(name, self._utf8), None)
        return self._decide_now(fold(name, self._utf8), None, True)

    matches_host = matches_domain

    def matches_client(self, name: str, address: str) -> bool:
        """Say whether the list has the client, by host name or address.  Raises TableError."""
        if self._cache is not None:
            return self._cached(name + "@" + address, fold(name, self._utf8), address)
        return self._decide_now(fold(name, self._utf8), address, True)

    def matches_string(self, text: str) -> bool:
        """Say whether the list has this very string (without regard to case).  Raises TableError."""
        name = fold(text, self._utf8)
        for item in self._items:
            if isinstance(item, _Plain):
                if name in item.names:
                    return not item.negated
                continue
            try:
                if item.table.find_now(name) is not None:
                    return not item.negated
            except TableError:
                self._table_failed(item.table)
                raise
        return False

    async def ask_address(self, address: str) -> bool:
        """Answer as matches_address(), with tables that may wait."""
        return self.matches_address(address) if self.local else await self._decide(None, address, False)

    async def ask_domain(self, name: str) -> bool:
        """Answer as matches_domain(), with tables that may wait."""
        return self.matches_domain(name) if self.local else await self._decide(fold(name, self._utf8), None, True)

    ask_host = ask_domain

    async def ask_client(self, name: str, address: str) -> bool:
        """Answer as matches_client(), with tables that may wait."""
        if self.local:
            return self.matches_client(name, address)
        return await self._decide(fold(name, self._utf8), address, True)

    async def ask_string(self, text: str) -> bool:
        """Answer as matches_string(), with tables that may wait."""
        return self.matches_string(text) if self.local else await self._decide(fold(text, self._utf8), None, False)
