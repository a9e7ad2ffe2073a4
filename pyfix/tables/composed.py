"""Tables made of tables: unionmap, pipemap, randmap, debug.

Source: DATABASE_README.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Final

from pyfix.tables.braces import BraceError, members
from pyfix.tables.notice import info
from pyfix.tables.table import Opening, Table, TableError, fold


class _Composed(Table):
    """What unionmap and pipemap share: the member tables."""

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        from pyfix.tables.source import open_as

        need = f'bad syntax: "{self.name}"; need "{self.kind}:{{type:name...}}"'
        try:
            references = members(self.name, name, "type:name")
        except BraceError as error:
            raise TableError(str(error)) from None
        if not references or any(":" not in reference for reference in references):
            raise TableError(need)
        self._tables: Final = [open_as(reference, opening) for reference in references]
        self.local = all(table.local for table in self._tables)
        # The first member decides whether parts of addresses are asked for, and whether case matters.
        self.pattern = self._tables[0].pattern
        self.fold = self.fold and not self.pattern

    def owner(self) -> int | None:
        """Return who decides what is in all members: a user rather than the administrator, if it is only one."""
        owners = {table.owner() for table in self._tables}
        others = owners - {0}
        return others.pop() if len(others) == 1 else None if others else 0

    def changed(self) -> bool:
        """Say whether a member changed."""
        return any(table.changed() for table in self._tables)

    def close(self) -> None:
        """Close the members."""
        for table in self._tables:
            table.close()

    def _failed(self, error: TableError) -> TableError:
        reason = str(error).rpartition("query error")[2]
        return TableError(f"table {self.name}: query error{reason}")


class UnionTable(_Composed):
    """``unionmap:{ type:name, ... }``: what all members say, joined with commas."""

    kind = "unionmap"

    def find_now(self, key: str) -> str | None:
        """Ask every member."""
        key = fold(key, self.utf8) if self.fold else key
        try:
            values = [value for table in self._tables if (value := table.find_now(key)) is not None]
        except TableError as error:
            raise self._failed(error) from error
        return _joined(values)

    async def find(self, key: str) -> str | None:
        """Ask every member."""
        key = fold(key, self.utf8) if self.fold else key
        try:
            values = [value for table in self._tables if (value := await table.find(key)) is not None]
        except TableError as error:
            raise self._failed(error) from error
        return _joined(values)


def _joined(values: list[str]) -> str | None:
    """Join values with commas, but for empty ones at the beginning."""
    joined = ""
    for value in values:
        joined += "," + value if joined else value
    return joined or None


class PipeTable(_Composed):
    """``pipemap:{ type:name, ... }``: the answer of one member is the key for the next."""

    kind = "pipemap"

    def find_now(self, key: str) -> str | None:
        """Ask member after member until one has no answer."""
        value: str | None = fold(key, self.utf8) if self.fold else key
        try:
            for table in self._tables:
                value = table.find_now(value)  # type: ignore[arg-type]  # the loop ends at None
                if value is None:
                    return None
        except TableError as error:
            raise self._failed(error) from error
        return value

    async def find(self, key: str) -> str | None:
        """Ask member after member until one has no answer."""
        value: str | None = fold(key, self.utf8) if self.fold else key
        try:
            for table in self._tables:
                value = await table.find(value)  # type: ignore[arg-type]  # the loop ends at None
                if value is None:
                    return None
        except TableError as error:
            raise self._failed(error) from error
        return value


class RandomTable(Table):
    """``randmap:{ value, ... }``: one of the values, whatever the key."""

    kind = "randmap"

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        try:
            self._values: Final = members(self.name, name, "value")
        except BraceError as error:
            raise TableError(str(error)) from None
        if not self._values:
            raise TableError(f'bad syntax: "{self.name}"; need "randmap:{{value...}}"')

    def find_now(self, key: str) -> str | None:
        """Return a value by chance."""
        return random.choice(self._values)


class DebugTable(Table):
    """``debug:type:name``: another table, with each request and answer in the log."""

    kind = "debug"

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        from pyfix.tables.source import open_as

        self._table: Final = open_as(name, opening)
        self.local = self._table.local
        self.flags = self._table.flags
        self.pattern = self._table.pattern
        self.fold = False  # the table below folds

    def _report(self, key: str, value: str | None) -> str | None:
        info(f'{self._table.name} lookup: "{key}" = "{"not_found" if value is None else value}"')
        return value

    def find_now(self, key: str) -> str | None:
        """Ask the other table."""
        return self._report(key, self._ask(key))

    def _ask(self, key: str) -> str | None:
        try:
            return self._table.find_now(key)
        except TableError as error:
            info(f'{self._table.name} lookup: "{key}" = "error"')
            raise TableError(str(error).replace(self._table.name, self.name, 1)) from error

    async def find(self, key: str) -> str | None:
        """Ask the other table."""
        if self.local:
            return self.find_now(key)
        try:
            return self._report(key, await self._table.find(key))
        except TableError as error:
            info(f'{self._table.name} lookup: "{key}" = "error"')
            raise TableError(str(error).replace(self._table.name, self.name, 1)) from error

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield all keys and values of the other table.  Raises TableError where that can't be done."""
        items: Callable[[], Iterator[tuple[str, str]]] | None = getattr(self._table, "items", None)
        if items is None:
            if self._table.kind == "fail":
                info(f"{self._table.name} sequence: found EOF")
                raise TableError(f"table {self.name}: sequence error")
            below = self._table.name.removeprefix("debug:")
            raise TableError(f"table {below}: sequence operation is not supported")
        for key, value in items():
            info(f'{self._table.name} sequence: "{key}" = "{value}"')
            yield key, value
        info(f"{self._table.name} sequence: found EOF")

    def owner(self) -> int | None:
        """Return who decides what is in the table."""
        return self._table.owner()

    def changed(self) -> bool:
        """Say whether the other table changed."""
        return self._table.changed()

    def close(self) -> None:
        """Close the other table."""
        self._table.close()
