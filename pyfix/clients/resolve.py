"""Where does mail for an address go?  Asked of trivial-rewrite(8), with a short memory.

Source: trivial-rewrite(8); postconf(5) rewrite_service_name.
"""

from __future__ import annotations

from typing import Final

from pyfix.protocols.internal.rewrite import (
    PROTOCOL,
    TABLES_CHANGED,
    ResolveReply,
    ResolveRequest,
    VerifyRequest,
)
from pyfix.runtime.ipc import Service, ServiceError
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.task import sleep

__all__ = ["Resolver", "rewrite_service"]

_MOST_REMEMBERED: Final = 1000
_REMEMBERED_FOR: Final = 10.0
_TRIES: Final = 3
_PAUSE: Final = 1.0


def rewrite_service(name: str, *, timeout: float, idle: float, ttl: float) -> Service:
    """Return the service behind postconf(5) rewrite_service_name; rewrite and resolve may share it."""
    return Service(f"private/{name}", PROTOCOL, timeout=timeout, idle=idle, ttl=ttl)


class Resolver:
    """Resolves addresses and remembers the answers for some seconds, or until the server's tables change."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: dict[tuple[str, str], tuple[ResolveReply, float]] = {}

    def remembered(self, sender: str, address: str) -> ResolveReply | None:
        """Return the answer if it is known without asking."""
        entry = self._known.get((sender, address))
        if entry is not None and entry[1] > current().now:
            return entry[0]
        return None

    async def resolve(self, sender: str, address: str) -> ResolveReply:
        """Return transport, nexthop, recipient and class of *address*; both addresses are in internal form.

        Raises ServiceError when the server can't be asked.
        """
        entry = self._known.get((sender, address))
        now = current().now
        if entry is not None and entry[1] > now:
            return entry[0]
        reply = await self._ask(ResolveRequest(sender=sender, address=address))
        if reply.flags & TABLES_CHANGED:
            self._known.clear()
            self._service.disconnect()
        else:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[(sender, address)] = (reply, now + _REMEMBERED_FOR)
        return reply

    async def resolve_probe(self, sender: str, address: str) -> ResolveReply:
        """Do the same for an address verification probe, with the address_verify_* parameters.  Never remembered."""
        reply = await self._ask(VerifyRequest(sender=sender, address=address))
        if reply.flags & TABLES_CHANGED:
            self._service.disconnect()
        return reply

    async def _ask(self, request: ResolveRequest | VerifyRequest) -> ResolveReply:
        for attempt in range(_TRIES):
            try:
                return await self._service.ask(request, ResolveReply)
            except ServiceError as error:
                log.warning(f"problem talking to service {self._service.path.rpartition('/')[2]}: {error}")
                if attempt == _TRIES - 1:
                    raise
                await sleep(_PAUSE)
        raise AssertionError("the loop returns or raises")
