"""Canonical mapping and masquerading of the addresses of a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyfix.daemons.cleanup.message import Message
from pyfix.formats.address import external_to_internal, internal_to_external
from pyfix.formats.header import KnownHeader
from pyfix.protocols.internal.cleanup import MAP_OK
from pyfix.rewriting.canonical import Canonical
from pyfix.rewriting.classes import AddressClass
from pyfix.rewriting.lookup import MappingError
from pyfix.rewriting.masquerade import Masquerade
from pyfix.runtime.log import log
from pyfix.tables.table import TableError


class Mapping:
    """What becomes of addresses in standard form."""

    def __init__(self, canonical: Canonical, masquerade: Masquerade) -> None:
        self._canonical: Final = canonical
        self._masquerade: Final = masquerade

    def __bool__(self) -> bool:
        """Tell whether any address can change."""
        return bool(self._canonical) or bool(self._masquerade)

    async def envelope(self, message: Message, address: str, kind: AddressClass) -> str:
        """Return what becomes of an address (internal form) of the envelope.  Raises MappingError, ServiceError."""
        if not message.flags & MAP_OK:
            return address
        address = await self._canonical.map(address, kind, lambda text: log.warning(f"{message.queue_id}: {text}"))
        try:
            return await self._masquerade.masquerade(address, kind)
        except TableError:
            raise MappingError("masquerade_exceptions map lookup problem", warns=False) from None

    async def header(self, message: Message, addresses: Sequence[str], known: KnownHeader) -> list[str]:
        """Return what becomes of the addresses (external form) of a header.  Raises MappingError, ServiceError."""
        if not message.flags & MAP_OK:
            return list(addresses)
        kind: AddressClass = "header_sender" if known.sender else "header_recipient"
        mapped = []
        for address in addresses:
            internal = external_to_internal(address)
            result = await self.envelope(message, internal, kind)
            mapped.append(address if result == internal else internal_to_external(result))
        return mapped
