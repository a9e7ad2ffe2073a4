"""transport(5): a table that overrides where mail goes, by address, domain or parent domain.

Source: transport(5); postconf(5) transport_maps, parent_domain_matches_subdomains.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.tables import flags as bits
from pyfix.tables.maps import DOMAIN, DOTTED_PARENTS, FULL, NOEXT, PARENTS, Maps
from pyfix.tables.matchlist import parent_matches
from pyfix.tables.table import TableError

_WILDCARD_LIFE: Final = 30.0
"""Seconds after which the ``*`` entry is looked up again."""


class Destination(NamedTuple):
    """A transport and where it delivers to; an empty part leaves open what it is."""

    transport: str
    nexthop: str


def split_destination(value: str) -> Destination:
    """Split ``transport:nexthop`` at its first colon."""
    transport, _, nexthop = value.partition(":")
    return Destination(transport, nexthop)


class TransportTable:
    """The tables of transport_maps, or of address_verify_transport_maps."""

    def __init__(
        self, parameter_name: str, tables: tuple[str, ...], settings: RewriteSettings, clock: Callable[[], float]
    ) -> None:
        """Open the tables.  *clock* gives seconds."""
        self.maps: Final = Maps(
            parameter_name,
            tables,
            settings.snapshot,
            flags=bits.ORDINARY | bits.NO_REGSUB,
            owner_request_special=settings.owner_request_special,
        )
        self._delimiter: Final = settings.recipient_delimiter
        parents = parent_matches("transport_maps", settings.snapshot)
        self._strategy: Final = FULL | NOEXT | DOMAIN | (PARENTS if parents else DOTTED_PARENTS)
        self._clock: Final = clock
        self._wildcard: str | None = None
        self._wildcard_expires = -1.0

    async def refresh(self) -> None:
        """Look the ``*`` entry up when that was not done lately; a failure is for the lookup of an address to tell."""
        now = self._clock()
        if not self.maps or now < self._wildcard_expires:
            return
        self._wildcard_expires = now + _WILDCARD_LIFE
        try:
            self._wildcard = await self.maps.find("*")
        except TableError:
            self._wildcard = None

    async def find(self, address: str, domain: str, default: Destination) -> Destination | None:
        """Return where the tables send mail for *address* (internal form), or None when they do not say.

        *default* is what holds without the tables.  Raises TableError.
        """
        if not self.maps:
            return None
        await self.refresh()
        found = await self.maps.find_address(address, self._delimiter, strategy=self._strategy)
        value = self._wildcard if found is None else found.value
        if value is None:
            return None
        transport, nexthop = split_destination(value)
        if not transport:
            return Destination(default.transport, nexthop or default.nexthop)
        if not nexthop:
            nexthop = "Address is undeliverable" if transport in ("error", "retry") else domain
        return Destination(transport, nexthop)
