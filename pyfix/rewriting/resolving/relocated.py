"""relocated(5): users who have moved, and what their correspondents are told.

Source: relocated(5); postconf(5) relocated_maps, relocated_prefix_enable.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.formats.status import split_status, status_prefix
from pyfix.rewriting.resolving.complaint import complaints
from pyfix.rewriting.resolving.local_domain import LocalDomains
from pyfix.tables.maps import Maps


class RelocatedTable:
    """The tables of relocated_maps."""

    def __init__(self, settings: RewriteSettings, local: LocalDomains) -> None:
        self._maps: Final = Maps(
            "relocated_maps",
            settings.relocated_maps,
            settings.snapshot,
            owner_request_special=settings.owner_request_special,
        )
        self._delimiter: Final = settings.recipient_delimiter
        self._prefix: Final = settings.relocated_prefix_enable
        self._local: Final = local

    async def find(self, address: str) -> str | None:
        """Return the status and text to bounce mail for *address* (internal form) with, or None.  Raises TableError."""
        if not self._maps:
            return None
        found = await self._maps.find_address(address, self._delimiter, is_local=self._local.match)
        if found is None:
            return None
        if self._prefix:
            return f"5.1.6 User has moved to {found.value}"
        if status_prefix(found.value) and split_status(found.value, "")[1]:
            return found.value
        complaints.warn(f"relocated_maps result must contain RFC 3463 status and text: '{found.value[:100]}'")
        return "5.2.0 Mailbox is unavailable"
