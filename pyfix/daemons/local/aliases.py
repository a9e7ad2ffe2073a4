"""Aliases: what a name of this system stands for.

Source: aliases(5); postconf(5) alias_maps.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pyfix.config.parameters.local import LocalSettings
from pyfix.runtime.log import log
from pyfix.tables import flags as bits
from pyfix.tables.maps import Maps
from pyfix.tables.table import Table, TableError

__all__ = ["Alias", "Aliases"]

_FLAGS: Final = bits.ORDINARY | bits.PARANOID
"""Aliases name files and commands: no part of an address goes into what they say.  Source: local(8), SECURITY."""


class Alias(NamedTuple):
    """What a name stands for."""

    name: str
    members: str
    """The list of its members, as the table has it."""
    table: Table
    """Whose owner's rights its files and commands are used with."""


class Aliases:
    """The tables of alias_maps."""

    def __init__(self, settings: LocalSettings) -> None:
        """Open the tables."""
        self.maps: Final = Maps("alias_maps", settings.alias_maps, settings.snapshot, flags=_FLAGS)
        self._has_owners: Final = settings.owner_request_special

    async def find(self, name: str) -> Alias | None:
        """Return the alias of *name*, None if there is none.  Raises TableError, after it is logged."""
        for table in self.maps.tables:
            try:
                value = table.find_now(name) if table.local else await table.find(name)
            except TableError:
                log.warning(f"{table.name}: lookup of '{name}' failed")
                raise
            if value is not None:
                return Alias(name, value, table)
        return None

    async def find_owner(self, name: str) -> tuple[str, str] | None:
        """Return the name of the alias that owns the alias *name*, and its members; None if nobody does.

        Raises TableError.  Source: postconf(5) owner_request_special.
        """
        if not self._has_owners:
            return None
        owner = f"owner-{name}"
        members = await self.maps.find(owner)
        return None if members is None else (owner, members)
