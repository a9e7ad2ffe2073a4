"""Tables that tell what they were asked and what they answered, for those who explain a decision."""

from __future__ import annotations

from pyfix.tables.table import Table, TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    Tell = Callable[[str, str, str | None], None]
    """Takes a table's name, a key, and the value: None when there is none."""

FAILED: Final = "(lookup failed)"
"""What is told in the place of a value when there is no answer."""


class ObservedTable(Table):
    """Stands before another table."""

    def __init__(self, table: Table, tell: Tell) -> None:
        self.kind = table.kind
        self.pattern = table.pattern
        self.local = table.local
        super().__init__(table.name.partition(":")[2], table.opening)
        self._table: Final = table
        self._tell: Final = tell

    def find_now(self, key: str) -> str | None:
        """Ask the table, and tell.  Raises TableError."""
        try:
            value = self._table.find_now(key)
        except TableError:
            self._tell(self.name, key, FAILED)
            raise
        self._tell(self.name, key, value)
        return value

    async def find(self, key: str) -> str | None:
        """Ask the table, and tell.  Raises TableError."""
        try:
            value = await self._table.find(key)
        except TableError:
            self._tell(self.name, key, FAILED)
            raise
        self._tell(self.name, key, value)
        return value

    def changed(self) -> bool:
        """Say whether the table's file was changed."""
        return self._table.changed()

    def close(self) -> None:
        """Close the table."""
        self._table.close()
