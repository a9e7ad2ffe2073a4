"""The cached connections themselves: endpoints hold descriptors, destinations point at endpoints."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class Endpoint:
    """One open connection."""

    label: str
    properties: str
    descriptor: int
    expires: float


@dataclass(slots=True)
class Destination:
    """One way to reach a destination."""

    endpoint_label: str
    properties: str
    expires: float


class ConnectionCache:
    """Connections by endpoint and by destination; all times are of the caller's clock, in seconds."""

    def __init__(self) -> None:
        self._endpoints: dict[str, deque[Endpoint]] = {}
        self._destinations: dict[str, list[Destination]] = {}
        self.count = 0
        """Open connections."""

    @property
    def endpoints(self) -> int:
        """Different endpoints with an open connection."""
        return len(self._endpoints)

    @property
    def destinations(self) -> int:
        """Different destinations."""
        return len(self._destinations)

    def save_endpoint(self, endpoint: Endpoint) -> None:
        """Keep a connection until it expires or is taken."""
        self._endpoints.setdefault(endpoint.label, deque()).append(endpoint)
        self.count += 1

    def take_endpoint(self, label: str) -> Endpoint | None:
        """Return the oldest connection to an endpoint, which is the caller's from now on."""
        saved = self._endpoints.get(label)
        if not saved:
            return None
        endpoint = saved.popleft()
        if not saved:
            del self._endpoints[label]
        self.count -= 1
        return endpoint

    def save_destination(self, label: str, destination: Destination) -> None:
        """Remember that an endpoint serves a destination."""
        ways = self._destinations.setdefault(label, [])
        same = (destination.endpoint_label, destination.properties)
        ways[:] = [way for way in ways if (way.endpoint_label, way.properties) != same]
        ways.append(destination)

    def take_destination(self, label: str) -> tuple[Destination, Endpoint] | None:
        """Return a connection that serves a destination and the way that was remembered for it first."""
        for destination in self._destinations.get(label, ()):
            endpoint = self.take_endpoint(destination.endpoint_label)
            if endpoint is not None:
                return destination, endpoint
        return None

    def expire(self, now: float) -> None:
        """Close the connections and forget the destinations whose time is over."""
        for label, saved in list(self._endpoints.items()):
            for endpoint in saved:
                if endpoint.expires <= now:
                    os.close(endpoint.descriptor)
                    self.count -= 1
            kept = deque(endpoint for endpoint in saved if endpoint.expires > now)
            if kept:
                self._endpoints[label] = kept
            else:
                del self._endpoints[label]
        for label, ways in list(self._destinations.items()):
            ways[:] = [way for way in ways if way.expires > now]
            if not ways:
                del self._destinations[label]

    def next_expiry(self) -> float | None:
        """Return the earliest time at which something expires."""
        times = [endpoint.expires for saved in self._endpoints.values() for endpoint in saved]
        times += [way.expires for ways in self._destinations.values() for way in ways]
        return min(times, default=None)
