"""smtp_generic_maps: the addresses that the outside sees in the place of local ones.

Source: generic(5); postconf(5) smtp_generic_maps, propagate_unmatched_extensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyfix.formats.address import external_to_internal, internal_to_external
from pyfix.rewriting.lookup import AddressLookup
from pyfix.runtime.log import log
from pyfix.tables.maps import Maps


class Generic:
    """The tables of one main.cf."""

    def __init__(self, maps: Maps, lookup: AddressLookup, *, propagate: bool) -> None:
        """*propagate*: an extension that took no part in the match is added to the result."""
        self._maps: Final = maps
        self._lookup: Final = lookup
        self._propagate: Final = propagate

    async def internal(self, address: str) -> str:
        """Return what becomes of *address* (internal form).  Raises MappingError, ServiceError."""
        if not address:
            return address
        found = await self._lookup.find(self._maps, address, propagate=self._propagate)
        if not found:
            return address
        if len(found) > 1:
            log.warning(f"multi-valued {self._maps.parameter_name} result for {address}")
        return found[0]

    async def externals(self, addresses: Sequence[str]) -> list[str]:
        """Return what becomes of addresses in external form.  Raises MappingError, ServiceError."""
        mapped = []
        for address in addresses:
            internal = external_to_internal(address)
            result = await self.internal(internal)
            mapped.append(address if result == internal else internal_to_external(result))
        return mapped
