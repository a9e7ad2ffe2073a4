"""virtual_alias_maps: one recipient becomes others, again and again, until nothing changes.

Source: virtual(5); postconf(5) virtual_alias_maps, virtual_alias_expansion_limit, virtual_alias_recursion_limit,
virtual_alias_address_length_limit, propagate_unmatched_extensions.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.rewriting.lookup import AddressLookup, MappingError
from pyfix.tables.maps import Maps


class VirtualAliases:
    """The virtual alias tables of one main.cf."""

    def __init__(self, settings: CleanupSettings, lookup: AddressLookup) -> None:
        """Open the tables."""
        self._lookup: Final = lookup
        self._maps: Final = Maps(
            "virtual_alias_maps",
            settings.virtual_alias_maps,
            settings.snapshot,
            owner_request_special=settings.owner_request_special,
        )
        self._propagate: Final = "virtual" in settings.propagate_unmatched_extensions
        self._most: Final = settings.virtual_alias_expansion_limit
        self._deepest: Final = settings.virtual_alias_recursion_limit
        self._longest: Final = settings.virtual_alias_address_length_limit

    def __bool__(self) -> bool:
        """Tell whether there is any table."""
        return bool(self._maps)

    async def expand(self, address: str) -> list[str]:
        """Return the addresses (internal form) that *address* stands for; itself when it is no alias.

        Raises MappingError, ServiceError.
        """
        try:
            return await self._expand(address)
        except MappingError as error:
            error.of_alias = True
            raise

    async def _expand(self, address: str) -> list[str]:
        addresses = [address]
        fixed: set[str] = set()  # what stands for itself, and perhaps for others, is not expanded again
        index = 0
        while index < len(addresses):
            if len(addresses) > self._most:
                raise self._unreasonable(address, "expansion size")
            depth = 0
            while True:
                if depth >= self._deepest:
                    raise self._unreasonable(address, "nesting")
                current = addresses[index]
                if current.lower() in fixed:
                    break
                results = await self._lookup.find(self._maps, current, propagate=self._propagate)
                if not results:
                    break
                for result in results:
                    if len(result.encode("utf-8", "surrogateescape")) > self._longest:
                        name = self._maps.parameter_name
                        raise MappingError(f"unreasonable {name} result {result:.300}...", unreasonable=True)
                addresses[index] = results[0]
                addresses += results[1:]
                if len(addresses) > self._most:
                    raise self._unreasonable(address, "expansion size")
                if results[0].lower() == current.lower():
                    fixed.add(current.lower())
                    break
                depth += 1
            index += 1
        return addresses

    def _unreasonable(self, address: str, what: str) -> MappingError:
        name = self._maps.parameter_name
        return MappingError(f"unreasonable {name} map {what} for {address}", unreasonable=True)
