"""The cached connections themselves: endpoints hold descriptors, destinations point at endpoints."""

from __future__ import annotations

import os
from collections import OrderedDict
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
        self._endpoints: dict[str, list[Endpoint]] = {}
        self._destinations: dict[str, OrderedDict[str, Destination]] = {}
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
        self._endpoints.setdefault(endpoint.label, []).append(endpoint)
        self.count += 1

    def take_endpoint(self, label: str) -> Endpoint | None:
        """Return a connection to an endpoint, which is the caller's from now on."""
        saved = self._endpoints.get(label)
        if not saved:
            return None
        endpoint = saved.pop()
        if not saved:
            del self._endpoints[label]
        self.count -= 1
        return endpoint

    def save_destination(self, label: str, destination: Destination) -> None:
        """Remember that an endpoint serves a destination."""
        ways = self._destinations.setdefault(label, OrderedDict())
        ways.pop(destination.endpoint_label, None)
        ways[destination.endpoint_label] = destination

    def take_destination(self, label: str) -> tuple[Destination, Endpoint] | None:
        """Return a connection that serves a destination and the way that was remembered for it."""
        for endpoint_label, destination in reversed(self._destinations.get(label, OrderedDict()).items()):
            endpoint = self.take_endpoint(endpoint_label)
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
            kept = [endpoint for endpoint in saved if endpoint.expires > now]
            if kept:
                self._endpoints[label] = kept
            else:
                del self._endpoints[label]
        for label, ways in list(self._destinations.items()):
            for endpoint_label in [key for key, way in ways.items() if way.expires <= now]:
                del ways[endpoint_label]
            if not ways:
                del self._destinations[label]

    def next_expiry(self) -> float | None:
        """Return the earliest time at which something expires."""
        times = [endpoint.expires for saved in self._endpoints.values() for endpoint in saved]
        times += [way.expires for ways in self._destinations.values() for way in ways.values()]
        return min(times, default=None)
