"""canonical_maps: other addresses in the place of those that came in.

Source: canonical(5); postconf(5) canonical_maps, sender_canonical_maps, recipient_canonical_maps, canonical_classes,
sender_canonical_classes, recipient_canonical_classes, propagate_unmatched_extensions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.formats.address import internal_to_external
from pyfix.rewriting.classes import ADDRESS_CLASSES, AddressClass, address_classes
from pyfix.rewriting.lookup import NULL_KEY, AddressLookup
from pyfix.tables.maps import Maps

_DEEPEST: Final = 10
"""Times that a result is looked up again."""


class Canonical:
    """The canonical tables of one main.cf."""

    def __init__(self, settings: CleanupSettings, lookup: AddressLookup) -> None:
        """Open the tables.  Raises ConfigError."""
        snapshot = settings.snapshot
        self._lookup: Final = lookup
        self._propagate: Final = "canonical" in settings.propagate_unmatched_extensions
        self._tables: Final[dict[AddressClass, list[Maps]]] = {kind: [] for kind in ADDRESS_CLASSES}
        for name, value, classes in (
            ("sender_canonical_maps", settings.sender_canonical_maps, settings.sender_canonical_classes),
            ("recipient_canonical_maps", settings.recipient_canonical_maps, settings.recipient_canonical_classes),
            ("canonical_maps", settings.canonical_maps, settings.canonical_classes),
        ):
            maps = Maps(name, value, snapshot, owner_request_special=settings.owner_request_special)
            if not maps:
                continue
            wanted = address_classes(classes)
            for kind in ADDRESS_CLASSES:
                applies = name == "canonical_maps" or name.startswith(kind.partition("_")[2])
                if kind in wanted and applies:
                    self._tables[kind].append(maps)

    def __bool__(self) -> bool:
        """Tell whether there is any table."""
        return any(self._tables.values())

    async def map(self, address: str, kind: AddressClass, warn: Callable[[str], None]) -> str:
        """Return what the tables for this class of addresses make of *address* (internal form).

        *warn* hears of tables with more than one result and of loops.  Raises MappingError, ServiceError.
        """
        for maps in self._tables[kind]:
            address = await self._map_one(maps, address, warn)
        return address

    async def _map_one(self, maps: Maps, address: str, warn: Callable[[str], None]) -> str:
        for _ in range(_DEEPEST):
            shown = internal_to_external(address) or NULL_KEY
            found = await self._lookup.find(maps, address, propagate=self._propagate, shown=shown)
            if not found:
                return address
            if len(found) > 1:
                warn(f"multi-valued {maps.parameter_name} entry for {shown}")
            if found[0].lower() == address.lower():
                return found[0]
            address = found[0]
        # The words are Postfix's; the message is accepted all the same.
        shown = internal_to_external(address) or NULL_KEY
        warn(f"unreasonable {maps.parameter_name} map nesting for {shown} -- message not accepted, try again later")
        return address
