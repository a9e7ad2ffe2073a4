"""The parameters of one table: in a file in the form of main.cf, or in main.cf itself.

``type:/path`` reads the file; ``type:name`` reads ``name_parameter`` from main.cf.
Source: sqlite_table(5) and its like, OBSOLETE MAIN.CF PARAMETERS.
"""

from __future__ import annotations

import os
import re

from pyfix.config.errors import ConfigError
from pyfix.config.main_cf import read_main_cf
from pyfix.tables.notice import warn
from pyfix.tables.table import Opening, TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final

_NUMBER: Final = re.compile(r"\s*[-+]?\d+")


def _owner(path: str) -> int | None:
    try:
        return os.stat(path).st_uid
    except OSError:
        return None


class TableParameters:
    """What is said about a table, by parameter name."""

    def __init__(self, name: str, opening: Opening) -> None:
        """*name* is what follows the type.  Raises TableError when its file can't be read."""
        self.name: Final = name
        self._opening: Final = opening
        self._file: Final = name.startswith(("/", "."))
        self._values: dict[str, str] = {}
        self.owner: int | None = 0
        """The owner of the file; the administrator where main.cf has the parameters."""
        if self._file:
            self.owner = _owner(name)
            try:
                self._values = read_main_cf(name, warn)
            except ConfigError as error:
                raise TableError(str(error)) from None

    def get(self, parameter: str) -> str | None:
        """Return the text of *parameter*, None when it is not set."""
        if self._file:
            return self._values.get(parameter)
        snapshot = self._opening.snapshot
        if snapshot is None:
            return None
        full = f"{self.name}_{parameter}"
        raw = getattr(snapshot, "raw", None)
        if raw is not None and raw(full) is None:
            return None
        return snapshot.value(full)

    def text(self, parameter: str, default: str = "", *, least: int = 0) -> str:
        """Return the text of *parameter*, of *least* characters or more.  Raises TableError."""
        value = self.get(parameter)
        if value is None:
            return default
        if len(value) < least:
            length = f"bad string length {len(value)} < {least}"
            raise TableError(f"{self._shown}{length}: {self._full(parameter)} = {value}")
        return value

    def needed(self, parameter: str) -> str:
        """Return the text of *parameter*, which must not be empty.  Raises TableError."""
        value = self.get(parameter) or ""
        if not value:
            raise TableError(f"{self._shown}bad string length 0 < 1: {self._full(parameter)} = ")
        return value

    def integer(self, parameter: str, default: int, *, least: int | None = None) -> int:
        """Return the number that *parameter* is.  Raises TableError."""
        value = self.get(parameter)
        if value is None:
            return default
        if not _NUMBER.fullmatch(value):
            raise TableError(f"{self._shown}bad numerical configuration: {self._full(parameter)} = {value}")
        number = int(value)
        if least is not None and number < least:
            raise TableError(f"{self._shown}invalid {self._full(parameter)} parameter value {number} < {least}")
        return number

    def boolean(self, parameter: str, default: bool) -> bool:
        """Return whether *parameter* is yes.  Raises TableError."""
        value = self.get(parameter)
        if value is None:
            return default
        if value.lower() in ("yes", "no"):
            return value.lower() == "yes"
        raise TableError(f"{self._shown}bad boolean configuration: {self._full(parameter)} = {value}")

    @property
    def _shown(self) -> str:
        return f"{self.name}: " if self._file else ""

    def _full(self, parameter: str) -> str:
        return parameter if self._file else f"{self.name}_{parameter}"
