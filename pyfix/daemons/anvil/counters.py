"""What is counted for each client of each service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

RATES: Final = ("connect", "message", "recipient", "newtls", "auth")


@dataclass(slots=True)
class Client:
    """One client of one service: ``smtp:192.0.2.1``."""

    ident: str
    connections: int = 0
    """Open connections."""
    started: float = 0.0
    """When the rates began to be counted anew."""
    rates: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RATES, 0))


@dataclass(slots=True)
class Peak:
    """The highest value since the last report, and whose it was."""

    value: int = 0
    ident: str = ""
    when: float = 0.0

    def raise_to(self, value: int, ident: str, when: float) -> None:
        """Remember *value* if it is the highest yet."""
        if value > self.value:
            self.value, self.ident, self.when = value, ident, when


class Counters:
    """Counts for all clients; rates are of *unit* seconds, times of the caller's clock."""

    def __init__(self, unit: int) -> None:
        self._unit = unit
        self._clients: dict[str, Client] = {}
        self.peaks = {name: Peak() for name in ("count", "cache", *RATES)}

    def connect(self, ident: str, now: float) -> tuple[int, int]:
        """Count a connection in; return open connections and connections in the last unit."""
        client = self._clients.get(ident)
        if client is None:
            client = self._clients[ident] = Client(ident, started=now)
            self.peaks["cache"].raise_to(len(self._clients), "", now)
        client.connections += 1
        self.peaks["count"].raise_to(client.connections, ident, now)
        return client.connections, self._count(client, "connect", now)

    def knows(self, ident: str) -> bool:
        """Tell whether a client has connected and is not forgotten yet."""
        return ident in self._clients

    def disconnect(self, ident: str, now: float) -> None:
        """Count a connection out; a client that has none left is forgotten when its rates are old."""
        client = self._clients.get(ident)
        if client is not None and client.connections > 0:
            client.connections -= 1

    def count(self, ident: str, what: str, now: float) -> int:
        """Count a message, recipient, TLS session or AUTH command of a known client; return how many in the last unit.

        Raises KeyError for a client that has not connected.
        """
        return self._count(self._clients[ident], what, now)

    def current(self, ident: str, what: str, now: float) -> int:
        """Return a rate without counting anything."""
        client = self._clients.get(ident)
        if client is None or client.started + self._unit < now:
            return 0
        return client.rates[what]

    def connections(self, ident: str) -> int:
        """Return how many connections of a client are open."""
        client = self._clients.get(ident)
        return client.connections if client is not None else 0

    def _count(self, client: Client, what: str, now: float) -> int:
        if client.started + self._unit < now:
            client.started = now
            client.rates = dict.fromkeys(RATES, 0)
        client.rates[what] += 1
        self.peaks[what].raise_to(client.rates[what], client.ident, now)
        return client.rates[what]

    def forget_idle(self, now: float) -> None:
        """Forget clients that have no connection and whose rates are of a past unit."""
        for ident in [
            ident
            for ident, client in self._clients.items()
            if not client.connections and client.started + self._unit < now
        ]:
            del self._clients[ident]
