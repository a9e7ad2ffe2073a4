"""In which order the addresses of a destination are tried.

Source: postconf(5) smtp_randomize_addresses, smtp_address_preference, smtp_balance_inet_protocols,
smtp_mx_address_limit.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from pyfix.daemons.smtp.server import Server

_ANY: Final = "any"


class Order:
    """The wishes of one main.cf."""

    def __init__(self, *, shuffled: bool, preferred: str, balanced: bool, limit: int) -> None:
        """*preferred*: ``any``, ``ipv4`` or ``ipv6``; *limit*: addresses that are tried, 0: all."""
        self._shuffled: Final = shuffled
        self._preferred: Final = preferred
        self._balanced: Final = balanced
        self._limit: Final = limit

    def arrange(self, servers: Sequence[Server]) -> list[Server]:
        """Return the servers in their order; of those with the same preference, any may be the first."""
        arranged = list(servers)
        if len(arranged) < 2:
            return arranged
        if self._shuffled:
            random.shuffle(arranged)
        arranged.sort(key=lambda server: (server.preference, self._rank(server)))
        return self._balance(arranged) if self._balanced and self._limit else arranged

    def _rank(self, server: Server) -> int:
        if self._preferred == _ANY:
            return 0
        return int(server.is_ipv6 != (self._preferred == "ipv6"))

    def _balance(self, servers: list[Server]) -> list[Server]:
        """Let both protocols have a part of the addresses that are tried."""
        if len(servers) <= self._limit or self._limit < 2:
            return servers
        ipv6 = sum(server.is_ipv6 for server in servers)
        ipv4 = len(servers) - ipv6
        if not ipv4 or not ipv6:
            return servers
        half = self._limit // 2
        room = (
            {True: self._limit - half, False: half} if servers[0].is_ipv6 else {True: half, False: self._limit - half}
        )
        if ipv6 < room[True]:
            room = {True: ipv6, False: self._limit - ipv6}
        elif ipv4 < room[False]:
            room = {True: self._limit - ipv4, False: ipv4}
        chosen = []
        for server in servers:
            if room[server.is_ipv6]:
                room[server.is_ipv6] -= 1
                chosen.append(server)
        return chosen
