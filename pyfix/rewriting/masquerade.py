"""Address masquerading: addresses in subdomains become addresses in the domain itself.

Source: ADDRESS_REWRITING_README; postconf(5) masquerade_domains, masquerade_classes, masquerade_exceptions.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.rewriting.classes import AddressClass, address_classes
from pyfix.tables.matchlist import MatchList


class Masquerade:
    """The masquerading that main.cf asks for."""

    def __init__(self, settings: CleanupSettings) -> None:
        """Read the lists.  Raises ConfigError."""
        self._domains: Final = tuple(settings.masquerade_domains)
        self._classes: Final = address_classes(settings.masquerade_classes)
        self._exceptions: Final = MatchList(
            "masquerade_exceptions", settings.masquerade_exceptions, settings.snapshot, match_parents=False
        )

    def __bool__(self) -> bool:
        """Tell whether any address is masqueraded."""
        return bool(self._domains and self._classes)

    async def masquerade(self, address: str, kind: AddressClass) -> str:
        """Return *address* (internal form) as the world is to see it.  Raises TableError."""
        localpart, at, domain = address.rpartition("@")
        if not at or kind not in self._classes or (self._exceptions and await self._exceptions.ask_string(localpart)):
            return address
        folded = domain.lower()
        for pattern in self._domains:
            name = pattern.lstrip("!")
            if folded == name.lower():
                return address
            if folded.endswith("." + name.lower()):
                # An odd number of marks says: not this domain.
                return address if (len(pattern) - len(name)) % 2 else f"{localpart}@{name.lower()}"
        return address
