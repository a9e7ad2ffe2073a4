"""Tables that live in memory: static, inline, environ, internal, fail.

Source: DATABASE_README, postmap(1).
"""

from __future__ import annotations

import os

from pyfix.tables import flags as bits
from pyfix.tables.braces import BraceError, members, unbrace
from pyfix.tables.file_values import encode_files
from pyfix.tables.table import Opening, Table, TableError, fold

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final


class StaticTable(Table):
    """The same value for every key: ``static:value``, ``static:{ text with blanks }``."""

    kind = "static"

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        try:
            value = unbrace(name) if name.startswith("{") else name
        except BraceError as error:
            raise TableError(f"bad static:name syntax: {error}") from None
        self._value: Final = encode_files(value) if opening.flags & bits.SRC_RHS_IS_FILE else value

    def find_now(self, key: str) -> str | None:
        """Return the value, whatever the key."""
        return self._value

    def owner(self) -> int | None:
        """Return the administrator, whose main.cf has the value."""
        return 0


class FailTable(Table):
    """Every request fails: ``fail:text``.  For tests."""

    kind = "fail"

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        self.flags = opening.flags | bits.PATTERN

    def find_now(self, key: str) -> str | None:
        """Raise TableError, always."""
        raise TableError(f"table {self.name}: query error: Application error")


class DictTable(Table):
    """Keys and values in a dictionary; what inline and texthash have in common."""

    __slots__ = ("_values",)

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        self._values: dict[str, str] = {}

    def lookup(self, key: str) -> str | None:
        """Return the value in the dictionary."""
        return self._values.get(key)

    def owner(self) -> int | None:
        """Return the administrator, whose main.cf has the values."""
        return 0

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield all keys and values."""
        yield from self._values.items()


class InlineTable(DictTable):
    """Keys and values in the name itself: ``inline:{ key=value, { key = text with blanks } }``."""

    kind = "inline"

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        need = f'"{self.name}"; need "inline:{{name=value...}}"'
        try:
            if name == "{}":
                raise TableError(f"bad syntax: {need}")
            words = members(self.name, name, "name=value")
        except BraceError as error:
            raise TableError(str(error)) from None
        for word in words:
            try:
                text = unbrace(word) if word.startswith("{") else word
            except BraceError as error:
                raise TableError(f"{error}: {need}") from None
            if not text:
                raise TableError(f"no key found; expected format: key = value: {need}")
            key, equals, value = text.partition("=")
            if not equals or " " in key.strip():
                raise TableError(f"missing '=' after attribute name: {need}")
            value = value.strip()
            if opening.flags & bits.SRC_RHS_IS_FILE:
                try:
                    value = encode_files(value)
                except TableError as error:
                    raise TableError(f"{error}: {need.replace('=value', '=filename')}") from None
            self._values[fold(key.strip(), self.utf8) if self.fold else key.strip()] = value
        if not words:
            raise TableError(f"empty table: {need}")


class EnvironTable(Table):
    """The environment of the process: ``environ:anything``."""

    kind = "environ"

    def lookup(self, key: str) -> str | None:
        """Return the value of the environment variable."""
        return os.environ.get(key)


_SHARED: Final[dict[str, dict[str, str]]] = {}


class InternalTable(DictTable):
    """A table in this process's memory, shared by all who open the same name: ``internal:name``."""

    kind = "internal"

    def __init__(self, name: str, opening: Opening) -> None:
        super().__init__(name, opening)
        self._values = _SHARED.setdefault(name, {})

    def store(self, key: str, value: str) -> None:
        """Set the value of *key*."""
        self._values[fold(key, self.utf8) if self.fold else key] = value

    def remove(self, key: str) -> bool:
        """Remove *key*; say whether it was there."""
        return self._values.pop(fold(key, self.utf8) if self.fold else key, None) is not None
