"""Tables that choose a relay host or a default transport by the sender of a message.

Source: postconf(5) sender_dependent_relayhost_maps, sender_dependent_default_transport_maps.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.runtime.log import log
from pyfix.tables import flags as bits
from pyfix.tables.maps import Maps
from pyfix.tables.table import TableError


class SenderTable:
    """The tables of one such parameter."""

    def __init__(
        self, parameter_name: str, tables: tuple[str, ...], null_sender_key: str, settings: RewriteSettings
    ) -> None:
        """*null_sender_key* is looked up for the null sender (empty_address_..._lookup_key)."""
        self.maps: Final = Maps(
            parameter_name,
            tables,
            settings.snapshot,
            flags=bits.ORDINARY | bits.NO_REGSUB,
            owner_request_special=settings.owner_request_special,
        )
        self._null_sender_key: Final = null_sender_key
        self._delimiter: Final = settings.recipient_delimiter

    async def find(self, sender: str) -> str | None:
        """Return what the tables have for *sender* (internal form), None when they have nothing or say DUNNO.

        Raises TableError, after telling of it in the log.
        """
        if not self.maps:
            return None
        try:
            found = await self.maps.find_address(sender or self._null_sender_key, self._delimiter)
        except TableError:
            log.warning(f"{self.maps.parameter_name} lookup failure")
            raise
        return None if found is None or found.value == "DUNNO" else found.value
