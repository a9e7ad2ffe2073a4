"""Looking an address up in a table of addresses, and what its right-hand side means.

Source: canonical(5), virtual(5): TABLE SEARCH ORDER, RESULT ADDRESS REWRITING, ADDRESS EXTENSION.
"""

from __future__ import annotations

from typing import Final

from pyfix.formats.address import external_to_internal
from pyfix.formats.address_list import AddressList
from pyfix.rewriting.domains import OwnDomains
from pyfix.rewriting.standard import LOCAL, StandardForm
from pyfix.runtime.log import log
from pyfix.tables.maps import AddressMatch, Maps
from pyfix.tables.table import TableError

NULL_KEY: Final = '""'
"""The null address as a key."""
_NOBODY: Final = "<>"
"""The null address as a result."""


class MappingError(Exception):
    """An address could not be mapped; the text is for the log."""

    def __init__(self, text: str, *, unreasonable: bool = False, warns: bool = True) -> None:
        super().__init__(f"{text} -- message not accepted, try again later")
        self.unreasonable = unreasonable
        """The tables are to blame, with loops or sizes beyond limits; else a table could not be asked."""
        self.warns = warns
        """Whether the log has it as a warning."""
        self.of_alias = False
        """Whether it is about virtual aliases, of which the client hears more."""


class AddressLookup:
    """Asks tables for an address and its parts, and gives the results their standard form."""

    __slots__ = ("_delimiter", "_own", "_standard")

    def __init__(self, delimiter: str, own: OwnDomains, standard: StandardForm) -> None:
        """*delimiter* is postconf(5) recipient_delimiter."""
        self._delimiter: Final = delimiter
        self._own: Final = own
        self._standard: Final = standard

    async def find(self, maps: Maps, address: str, *, propagate: bool, shown: str = "") -> list[str] | None:
        """Return the addresses that *maps* have for *address*, all in internal form; None when they have none.

        *propagate* is whether an extension that took no part in the match is added to the results
        (propagate_unmatched_extensions).  *shown* is what the log has for the address.  Raises MappingError,
        ServiceError.
        """
        try:
            if not address:
                value = await maps.find(NULL_KEY)
                match = None if value is None else AddressMatch(value, "")
            elif maps.local and self._own.local:
                match = maps.find_address_now(address, self._delimiter, is_local=self._own)
            else:
                match = await maps.find_address(address, self._delimiter, is_local=self._own.ask)
        except TableError:
            raise MappingError(f"{maps.parameter_name} map lookup problem for {shown or address}") from None
        if match is None:
            return None
        value = match.value
        if value.startswith("@"):
            # The same user elsewhere; what follows the domain is taken as part of it.
            localpart = address.rpartition("@")[0] or address
            return [await self._standard.internal(LOCAL, localpart + value)]
        addresses = AddressList(value).addresses
        if not addresses and value.strip() == _NOBODY:
            return [match.extension or "" if propagate else ""]
        if not addresses:
            log.warning(f'{maps.parameter_name} lookup of {shown or address} returns non-address result "{value}"')
            raise MappingError(f"{maps.parameter_name} map lookup problem for {shown or address}")
        results = []
        for found in addresses:
            external = self._standard.external_now(LOCAL, found)
            if external is None:
                external = await self._standard.external(LOCAL, found)
            result = external_to_internal(external)
            if propagate and match.extension:
                result = with_extension(result, match.extension)
            results.append(result)
        return results


def with_extension(address: str, extension: str) -> str:
    """Return *address* with *extension* (its delimiter included) at the end of the localpart."""
    localpart, at, domain = address.rpartition("@")
    return f"{localpart}{extension}@{domain}" if at else f"{domain}{extension}"
