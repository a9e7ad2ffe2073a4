"""What is known of an address's deliverability, asked of verify(8).

Source: verify(8); ADDRESS_VERIFICATION_README.
"""

from __future__ import annotations

from typing import NamedTuple

from pyfix.protocols.internal.verify import OK, PROTOCOL, Query, QueryReply, StatusReply, Update
from pyfix.runtime.ipc import Service, ServiceError

__all__ = ["Probe", "VerifyClient"]


class Probe(NamedTuple):
    """What is known: RECIPIENT_OK, RECIPIENT_DEFERRED, RECIPIENT_BOUNCED or RECIPIENT_UNKNOWN, and why."""

    status: int
    reason: str


class VerifyClient:
    """Asks verify(8) and reports to it."""

    def __init__(self, service_name: str, *, timeout: float, idle: float, ttl: float) -> None:
        self._service = Service(f"private/{service_name}", PROTOCOL, timeout=timeout, idle=idle, ttl=ttl)

    async def query(self, address: str) -> Probe:
        """Return what is known of *address* (internal form); a probe starts if that is nothing or old.

        Raises ServiceError.
        """
        reply = await self._service.ask(Query(address=address), QueryReply)
        if reply.status != OK:
            raise ServiceError(f"{self._service.path}: query of {address} refused")
        return Probe(reply.recipient_status, reply.reason)

    async def update(self, address: str, status: int, reason: str) -> None:
        """Report the outcome of a probe.  Raises ServiceError."""
        request = Update(address=address, recipient_status=status, reason=reason)
        reply = await self._service.ask(request, StatusReply)
        if reply.status != OK:
            raise ServiceError(f"{self._service.path}: update of {address} refused")
