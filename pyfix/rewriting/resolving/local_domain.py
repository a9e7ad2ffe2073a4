"""Which domains are ours: mydestination and the addresses of our interfaces.

Source: postconf(5) mydestination, inet_interfaces, proxy_interfaces.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from pyfix.config.own_networks import own_addresses, proxy_addresses
from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.formats.domain import literal_to_address
from pyfix.rewriting.resolving.address_class import LIST_FLAGS
from pyfix.tables.matchlist import MatchList


class LocalDomains:
    """The domains whose mail belongs to the local address class."""

    def __init__(self, settings: RewriteSettings) -> None:
        """Read the lists and the addresses of the interfaces.  Raises ConfigError."""
        snapshot = settings.snapshot
        self.mydestination: Final = MatchList(
            "mydestination", settings.mydestination, snapshot, match_parents=False, flags=LIST_FLAGS
        )
        addresses = [own.address for own in own_addresses(snapshot)]
        addresses += proxy_addresses(snapshot)
        self._addresses: Final = frozenset(ipaddress.ip_address(address) for address in addresses)

    async def match(self, domain: str) -> bool:
        """Say whether *domain*, perhaps ``[address]``, is ours.  Raises TableError."""
        if await self.mydestination.ask_string(domain):
            return True
        if not domain.startswith("["):
            return False
        address = literal_to_address(domain)
        return address is not None and ipaddress.ip_address(_plain(address)) in self._addresses


def _plain(address: str) -> str:
    """Return an IPv4 address without the leading zeroes that mail allows and ipaddress does not."""
    if ":" in address:
        return address
    return ".".join(str(int(octet)) for octet in address.split("."))
