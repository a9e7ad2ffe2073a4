"""Maps: the lookup tables of one parameter, asked in turn.

Source: postconf(5) on parameters such as virtual_alias_maps; ADDRESS_REWRITING_README.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from pyfix.formats.extension import split_extension
from pyfix.tables import flags as bits
from pyfix.tables.braces import split_words
from pyfix.tables.notice import warn
from pyfix.tables.source import open_or_unavailable
from pyfix.tables.table import Table, TableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyfix.tables.table import Values

FULL: Final = 1 << 0
"""Ask for the whole address; pattern tables are asked for nothing else."""
NOEXT: Final = 1 << 1
"""Ask for the address without its extension."""
LOCALPART_IF_LOCAL: Final = 1 << 2
"""Ask for the localpart, with and without extension, when the domain is local."""
AT_DOMAIN: Final = 1 << 3
"""Ask for ``@domain``."""
LOCALPART_AT: Final = 1 << 4
"""Ask for ``user@``, with and without extension."""
DOMAIN: Final = 1 << 5
"""Ask for ``domain``."""
PARENTS: Final = 1 << 6
"""Ask for the parents of the domain too, as ``parent``."""
DOTTED_PARENTS: Final = 1 << 7
"""Ask for the parents of the domain too, as ``.parent``."""

USUAL: Final = FULL | NOEXT | LOCALPART_IF_LOCAL | AT_DOMAIN
"""The order of canonical(5), virtual(5), relocated(5) and others."""

_DOT_STRING: Final = re.compile(r"[^\x00-\x20()<>@,;:\\\".\[\]\x7f]+(?:\.[^\x00-\x20()<>@,;:\\\".\[\]\x7f]+)*")


class AddressMatch(NamedTuple):
    """What find_address found."""

    value: str
    extension: str
    """The address extension, with its delimiter, when the match was made without it; else empty."""


def _external(localpart: str) -> str:
    """Return *localpart* in quotes when it needs them; an empty one does.  A source route before it stays as it is."""
    if localpart.startswith("@") and ":" in localpart:
        route, _, localpart = localpart.partition(":")
        return f"{route}:{_external(localpart)}"
    if _DOT_STRING.fullmatch(localpart):
        return localpart
    return '"' + re.sub(r'([\\"\r])', r"\\\1", localpart) + '"'


_ASK_ALL, _ASK_FIXED, _IS_LOCAL, _IF_LOCAL = range(4)


@lru_cache(maxsize=1024)
def _address_plan(
    address: str, delimiters: str, strategy: int, owner_request_special: bool
) -> tuple[tuple[int, str, str], ...]:
    """Return what to ask, one after the other: kind of question, key, and the extension that a match leaves over."""
    localpart, at, domain = address.rpartition("@")
    if not at:
        localpart, domain = domain, ""
    user, _ = split_extension(localpart, delimiters, owner_request=owner_request_special)
    extension = localpart[len(user) :]
    # The quoted form is asked for first; where nothing needs quotes there is only one form.
    whole = dict.fromkeys([_external(localpart), localpart])
    bare = dict.fromkeys([_external(user), user]) if extension else {}
    plan: list[tuple[int, str, str]] = []
    if strategy & FULL:
        plan += [(_ASK_ALL, key + at + domain, "") for key in whole]
    if strategy & NOEXT:
        plan += [(_ASK_FIXED, key + at + domain, extension) for key in bare]
    if at:
        if strategy & LOCALPART_IF_LOCAL:
            plan.append((_IS_LOCAL, domain, ""))
            plan += [(_IF_LOCAL, key, "") for key in whole]
            plan += [(_IF_LOCAL, key, extension) for key in bare]
        if strategy & AT_DOMAIN:
            plan.append((_ASK_FIXED, "@" + domain, ""))
        if strategy & DOMAIN and domain:
            plan.append((_ASK_FIXED, domain, ""))
            if strategy & (PARENTS | DOTTED_PARENTS):
                dot = "" if strategy & PARENTS else "."
                labels = domain.split(".")
                plan += [(_ASK_FIXED, dot + ".".join(labels[n:]), "") for n in range(1, len(labels))]
        if strategy & LOCALPART_AT:
            plan += [(_ASK_FIXED, key + "@", "") for key in whole]
            plan += [(_ASK_FIXED, key + "@", extension) for key in bare]
    return tuple(step for step in plan if step[1])


class Maps:
    """The tables that a parameter such as virtual_alias_maps names; the first that has the key answers.

    Tables that cannot be opened are logged, and their lookups fail with TableError.
    """

    def __init__(
        self,
        parameter_name: str,
        value: str | Sequence[str],
        snapshot: Values | None = None,
        *,
        flags: int = bits.ORDINARY,
        fold: bool = True,
        owner_request_special: bool = True,
    ) -> None:
        """*value* is the parameter's text or its words; *fold* false leaves the case of keys alone."""
        if not fold:
            flags &= ~bits.FOLD_FIX
        words = split_words(value) if isinstance(value, str) else value
        self.parameter_name: Final = parameter_name
        self.tables: Final[tuple[Table, ...]] = tuple(
            open_or_unavailable(word, snapshot, flags=flags) for word in words
        )
        self._fixed: Final = tuple(table for table in self.tables if not table.pattern)
        self.local: Final = all(table.local for table in self.tables)
        self._owner_request_special: Final = owner_request_special

    def __bool__(self) -> bool:
        """Say whether there is any table."""
        return bool(self.tables)

    def _empty(self, key: str) -> TableError:
        warn(f"{self.parameter_name} lookup of {key} returns an empty string result")
        warn(f"{self.parameter_name} should return NO RESULT in case of NOT FOUND")
        return TableError(f"{self.parameter_name} lookup of {key} returns an empty string result")

    def _failed(self, table: Table, key: str) -> None:
        warn(f'{table.name} lookup error for "{key[:100]}"')

    def _find_now_in(self, tables: tuple[Table, ...], key: str) -> str | None:
        if not key:
            return None
        for table in tables:
            try:
                value = table.find_now(key)
            except TableError:
                self._failed(table, key)
                raise
            if value is not None:
                if not value:
                    raise self._empty(key)
                return value
        return None

    async def _find_in(self, tables: tuple[Table, ...], key: str) -> str | None:
        if not key:
            return None
        for table in tables:
            try:
                value = table.find_now(key) if table.local else await table.find(key)
            except TableError:
                self._failed(table, key)
                raise
            if value is not None:
                if not value:
                    raise self._empty(key)
                return value
        return None

    def find_now(self, key: str) -> str | None:
        """Return the first value of *key*, None when no table has it.  Raises TableError.

        Without waiting when all tables are local; otherwise it blocks.
        """
        return self._find_now_in(self.tables, key)

    async def find(self, key: str) -> str | None:
        """Return the first value of *key*, None when no table has it.  Raises TableError."""
        if self.local:
            return self._find_now_in(self.tables, key)
        return await self._find_in(self.tables, key)

    def find_part_now(self, key: str) -> str | None:
        """Ask for a part of an address or domain: as find_now(), but pattern tables are left out."""
        return self._find_now_in(self._fixed, key)

    async def find_part(self, key: str) -> str | None:
        """Ask for a part of an address or domain: as find(), but pattern tables are left out."""
        if self.local:
            return self._find_now_in(self._fixed, key)
        return await self._find_in(self._fixed, key)

    def find_address_now(
        self,
        address: str,
        recipient_delimiter: str = "",
        *,
        is_local: Callable[[str], bool] | None = None,
        strategy: int = USUAL,
    ) -> AddressMatch | None:
        """Look up *address* (internal form) and its parts, in the order of canonical(5).

        user+ext@domain, user@domain, and where *is_local* accepts the domain user+ext and user,
        then @domain.  Raises TableError.
        """
        if not self.tables:
            return None
        local = False
        for kind, key, extension in _address_plan(address, recipient_delimiter, strategy, self._owner_request_special):
            if kind == _IS_LOCAL:
                local = is_local is not None and is_local(key)
            elif kind != _IF_LOCAL or local:
                value = self._find_now_in(self.tables if kind == _ASK_ALL else self._fixed, key)
                if value is not None:
                    return AddressMatch(value, extension)
        return None

    async def find_address(
        self,
        address: str,
        recipient_delimiter: str = "",
        *,
        is_local: Callable[[str], bool | Awaitable[bool]] | None = None,
        strategy: int = USUAL,
    ) -> AddressMatch | None:
        """Do as find_address_now(), with tables that may wait; *is_local* may wait too."""
        if not self.tables:
            return None
        local = False
        for kind, key, extension in _address_plan(address, recipient_delimiter, strategy, self._owner_request_special):
            if kind == _IS_LOCAL:
                verdict = False if is_local is None else is_local(key)
                local = verdict if isinstance(verdict, bool) else await verdict
            elif kind != _IF_LOCAL or local:
                tables = self.tables if kind == _ASK_ALL else self._fixed
                value = self._find_now_in(tables, key) if self.local else await self._find_in(tables, key)
                if value is not None:
                    return AddressMatch(value, extension)
        return None
