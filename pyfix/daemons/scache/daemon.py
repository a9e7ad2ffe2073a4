"""scache(8): keep open SMTP connections for the next delivery agent that can use them.

Source: scache(8); postconf(5) connection_cache_ttl_limit, connection_cache_status_update_time.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence

from pyfix.config.parameters.scache import ScacheSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.scache.cache import ConnectionCache, Destination, Endpoint
from pyfix.formats.attributes import Attributes
from pyfix.protocols.internal.scache import (
    BAD,
    FAILED,
    OK,
    PROTOCOL,
    FindDestination,
    FindEndpoint,
    FoundDestination,
    FoundEndpoint,
    Ready,
    SaveDestination,
    SaveEndpoint,
    Status,
)
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import run
from pyfix.runtime.ipc import receive
from pyfix.runtime.log import log
from pyfix.runtime.requests import RequestDaemon
from pyfix.runtime.stream import Stream


class Scache(RequestDaemon):
    """Holds descriptors that smtp(8) and lmtp(8) pass in and take out."""

    program = "scache"
    process_limit = 1
    PROTOCOL = PROTOCOL
    DROPS_NAMELESS = True
    REQUESTS = {  # noqa: RUF012  # a literal table of the class, never changed
        "save_endp": SaveEndpoint,
        "find_endp": FindEndpoint,
        "save_dest": SaveDestination,
        "find_dest": FindDestination,
    }

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        super().__init__(invocation, snapshot)
        self.settings = ScacheSettings(snapshot)
        self.settings.check()
        self._cache = ConnectionCache()
        self._next_sweep = 0.0
        """When somebody looks; 0: never."""
        self._cancel_sweep: Callable[[], object] | None = None
        self._reset_statistics()

    def _reset_statistics(self) -> None:
        self._since = time.time()
        self._domain_hits = self._domain_misses = self._address_hits = self._address_misses = 0
        self._most_domains = self._most_addresses = self._most_connections = 0

    def started(self) -> None:
        """Report statistics every connection_cache_status_update_time seconds."""
        self.loop.later(self.settings.connection_cache_status_update_time, self._report_regularly)

    def stopping(self) -> None:
        """Report once more before the end."""
        self._report()

    async def answer(self, request: Attributes, stream: Stream) -> Attributes | None:
        """Save or find, and pass the descriptor between two empty lists."""
        match request:
            case SaveEndpoint(ttl=ttl) | SaveDestination(ttl=ttl) if ttl <= 0:
                return self.refuse(request.request)
            case SaveEndpoint():
                return await self._save_endpoint(request, stream)
            case FindEndpoint(label=label):
                found = self._cache.take_endpoint(label)
                if found is None:
                    self._address_misses += 1
                    return FoundEndpoint(FAILED, "")
                self._address_hits += 1
                await self._pass(FoundEndpoint(OK, found.properties), found, stream)
            case SaveDestination():
                self._save_destination(request)
                return Status(OK)
            case FindDestination(label=label):
                pair = self._cache.take_destination(label)
                if pair is None:
                    self._domain_misses += 1
                    return FoundDestination(FAILED, "", "")
                self._domain_hits += 1
                way, found = pair
                await self._pass(FoundDestination(OK, way.properties, found.properties), found, stream)
        return None

    def refuse(self, name: str) -> Attributes:
        """Return the reply to a request that is malformed or not known, which has all that another reply has."""
        if name in self.REQUESTS:
            log.warning(f"scache_{name}_service: bad or missing request parameter")
        match name:
            case "find_endp":
                return FoundEndpoint(BAD, "")
            case "find_dest":
                return FoundDestination(BAD, "", "")
        return Status(BAD)

    async def _save_endpoint(self, request: SaveEndpoint, stream: Stream) -> Attributes:
        stream.write(Ready().encode())
        descriptor = await stream.receive_descriptor()
        endpoint = Endpoint(request.label, request.property, descriptor, self._expiry(request.ttl))
        self._cache.save_endpoint(endpoint)
        self._most_addresses = max(self._most_addresses, self._cache.endpoints)
        self._most_connections = max(self._most_connections, self._cache.count)
        self._arrange_sweep(endpoint.expires)
        return Status(OK)

    def _save_destination(self, request: SaveDestination) -> None:
        way = Destination(request.endpoint_label, request.property, self._expiry(request.ttl))
        self._cache.save_destination(request.label, way)
        self._most_domains = max(self._most_domains, self._cache.destinations)
        self._arrange_sweep(way.expires)

    async def _pass(self, reply: Attributes, endpoint: Endpoint, stream: Stream) -> None:
        try:
            stream.write(reply.encode())
            await receive(stream, Ready)
            await stream.send_descriptor(endpoint.descriptor)
            await receive(stream, Ready)
        finally:
            os.close(endpoint.descriptor)

    def _expiry(self, ttl: int) -> float:
        limit: int = self.settings.connection_cache_ttl_limit
        return self.loop.now + min(ttl, limit)

    def _arrange_sweep(self, expiry: float | None) -> None:
        """See to it that somebody looks when something expires, however late the next look would be."""
        if expiry is None or 0 < self._next_sweep <= expiry:
            return
        if self._cancel_sweep is not None:
            self._cancel_sweep()
        self._next_sweep = expiry
        self._cancel_sweep = self.loop.later(max(expiry - self.loop.now, 0.01), self._sweep).cancel

    def _sweep(self) -> None:
        self._next_sweep, self._cancel_sweep = 0.0, None
        self._cache.expire(self.loop.now)
        self._arrange_sweep(self._cache.next_expiry())

    def _report_regularly(self) -> None:
        self._report()
        self.loop.later(self.settings.connection_cache_status_update_time, self._report_regularly)

    def _report(self) -> None:
        domains = self._domain_hits + self._domain_misses
        addresses = self._address_hits + self._address_misses
        if domains or addresses:
            log.info(f"statistics: start interval {time.strftime('%b %e %H:%M:%S', time.localtime(self._since))}")
            if domains:
                log.info(
                    f"statistics: domain lookup hits={self._domain_hits} miss={self._domain_misses} "
                    f"success={self._domain_hits * 100 // domains}%"
                )
            if addresses:
                log.info(
                    f"statistics: address lookup hits={self._address_hits} miss={self._address_misses} "
                    f"success={self._address_hits * 100 // addresses}%"
                )
            log.info(
                f"statistics: max simultaneous domains={self._most_domains} addresses={self._most_addresses} "
                f"connection={self._most_connections}"
            )
        self._reset_statistics()


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Scache, argv)
