"""Domains whose users may stand in lookup tables by their bare names.

Source: canonical(5), virtual(5): ``user`` matches ``user@site`` when site is myorigin, in mydestination, or an address
in inet_interfaces or proxy_interfaces.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.own_networks import own_addresses, proxy_addresses
from pyfix.config.parameters.mail import MailSettings
from pyfix.formats.domain import literal_to_address
from pyfix.tables.matchlist import MatchList


class OwnDomains:
    """Says whether a domain is one of ours in this sense."""

    def __init__(self, settings: MailSettings) -> None:
        """Read the lists.  Raises ConfigError."""
        snapshot = settings.snapshot
        self._origin: Final = settings.myorigin.lower()
        self._destinations: Final = MatchList("mydestination", settings.mydestination, snapshot, match_parents=False)
        own = [address.address for address in own_addresses(snapshot)]
        self._addresses: Final = frozenset([*own, *proxy_addresses(snapshot)])

    @property
    def local(self) -> bool:
        """Whether the call answers without waiting."""
        return self._destinations.local

    async def ask(self, domain: str) -> bool:
        """Answer as the call does, with tables that may wait.  Raises TableError."""
        if self.local:
            return self(domain)
        if domain.lower() == self._origin or await self._destinations.ask_string(domain):
            return True
        return literal_to_address(domain) in self._addresses

    def __call__(self, domain: str) -> bool:
        """Tell whether the domain is ours.  Raises TableError."""
        if domain.lower() == self._origin or self._destinations.matches_string(domain):
            return True
        address = literal_to_address(domain)
        return address is not None and address in self._addresses
