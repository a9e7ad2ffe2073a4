"""Aliases: the addresses that a name of this system stands for.

Source: aliases(5); postconf(5) alias_maps.  Commands, files and :include: files are not delivered to yet; mail for
an alias that has one waits.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from pyfix.config.parameters.local import LocalSettings
from pyfix.formats.address import external_to_internal
from pyfix.formats.address_list import AddressList
from pyfix.runtime.log import log
from pyfix.tables import flags as bits
from pyfix.tables.maps import Maps
from pyfix.tables.table import TableError

_SPECIAL: Final = re.compile(r'(?:^|,)\s*"?\s*(?:\||/|:include:)', re.IGNORECASE)
_FLAGS: Final = bits.ORDINARY | bits.PARANOID
"""Aliases name files and commands: no part of an address goes into what they say.  Source: local(8), SECURITY."""


class SpecialTarget(Exception):
    """The alias has a target that is not an address; the text is the alias's value."""


class Alias(NamedTuple):
    """What a name stands for."""

    name: str
    addresses: list[str]
    """In internal form, as written: not completed with a domain."""
    owner: str
    """The name of the owner alias, which gets the failures; empty if there is none."""


class Aliases:
    """The tables of alias_maps."""

    def __init__(self, settings: LocalSettings) -> None:
        """Open the tables."""
        self.maps: Final = Maps("alias_maps", settings.alias_maps, settings.snapshot, flags=_FLAGS)

    async def find(self, name: str, base: str) -> Alias | None:
        """Return the alias of *name*, or of *base*, which is *name* without its extension; None if there is none.

        Raises TableError, SpecialTarget.
        """
        for key in dict.fromkeys((name, base)):
            value = await self._value(key)
            if value is None:
                continue
            if _SPECIAL.search(value):
                raise SpecialTarget(value)
            owner = f"owner-{key}"
            has_owner = not key.startswith("owner-") and await self.maps.find(owner) is not None
            addresses = [external_to_internal(address) for address in AddressList(value).addresses]
            return Alias(key, addresses, owner if has_owner else "")
        return None

    async def _value(self, key: str) -> str | None:
        """Ask one table after the other.  Raises TableError, after it is logged."""
        for table in self.maps.tables:
            try:
                value = table.find_now(key) if table.local else await table.find(key)
            except TableError:
                log.warning(f"{table.name}: lookup of '{key}' failed")
                raise
            if value is not None:
                return value
        return None
