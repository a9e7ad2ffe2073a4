"""Copies of mail for people who are not named in it.

Source: postconf(5) always_bcc, sender_bcc_maps, recipient_bcc_maps.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.rewriting.domains import OwnDomains
from pyfix.rewriting.lookup import MappingError
from pyfix.tables.maps import Maps
from pyfix.tables.table import TableError


class AutomaticBcc:
    """Who gets copies of what."""

    def __init__(self, settings: CleanupSettings, own: OwnDomains) -> None:
        """Open the tables."""
        self.always: Final = settings.always_bcc
        self._own: Final = own
        self._delimiter: Final = settings.recipient_delimiter
        special = settings.owner_request_special
        self._senders: Final = Maps(
            "sender_bcc_maps", settings.sender_bcc_maps, settings.snapshot, owner_request_special=special
        )
        self._recipients: Final = Maps(
            "recipient_bcc_maps", settings.recipient_bcc_maps, settings.snapshot, owner_request_special=special
        )

    def __bool__(self) -> bool:
        """Tell whether anybody gets copies."""
        return bool(self.always or self._senders or self._recipients)

    async def of_sender(self, sender: str) -> str | None:
        """Return who gets a copy of what *sender* (internal form) sends.  Raises MappingError."""
        return await self._find(self._senders, sender)

    async def of_recipient(self, recipient: str) -> str | None:
        """Return who gets a copy of what *recipient* (internal form) gets.  Raises MappingError."""
        return await self._find(self._recipients, recipient)

    async def _find(self, maps: Maps, address: str) -> str | None:
        if not maps:
            return None
        try:
            match = await maps.find_address(address, self._delimiter, is_local=self._own)
        except TableError:
            raise MappingError(f"{maps.parameter_name} map lookup problem") from None
        return None if match is None else match.value
