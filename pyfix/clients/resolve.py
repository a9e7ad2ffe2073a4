"""Where does mail for an address go?  Asked of trivial-rewrite(8), with a short memory.

Source: trivial-rewrite(8); postconf(5) rewrite_service_name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from pyfix.formats.address import external_to_internal, internal_to_external, is_standard
from pyfix.protocols.internal.rewrite import (
    PROTOCOL,
    TABLES_CHANGED,
    ResolveReply,
    ResolveRequest,
    RewriteReply,
    RewriteRequest,
    VerifyRequest,
)
from pyfix.runtime.ipc import Service, ServiceError
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.task import gather, sleep

__all__ = ["AT_ONCE", "Resolver", "StandardResolver", "rewrite_service"]

AT_ONCE: Final = 8
"""Addresses about which several are asked side by side, each over a connection of its own."""
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
        self._remember(sender, address, reply)
        return reply

    async def learn(self, sender: str, addresses: Iterable[str]) -> None:
        """Ask about several addresses side by side, so that resolve() knows the answers.

        To ask one after the other takes two changes of processes for each.  What goes wrong is left to resolve().
        """
        unknown = [address for address in dict.fromkeys(addresses) if self.remembered(sender, address) is None]
        for start in range(0, len(unknown), AT_ONCE):
            chosen = unknown[start : start + AT_ONCE]
            if len(chosen) == 1:
                return
            questions = [ResolveRequest(sender=sender, address=address) for address in chosen]
            try:
                replies = await gather(*[self._service.ask(question, ResolveReply) for question in questions])
            except ServiceError:
                return
            for address, reply in zip(chosen, replies, strict=True):
                self._remember(sender, address, reply)

    def _remember(self, sender: str, address: str, reply: ResolveReply) -> None:
        if reply.flags & TABLES_CHANGED:
            self._known.clear()
            self._service.disconnect()
            return
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[(sender, address)] = (reply, current().now + _REMEMBERED_FOR)

    async def resolve_probe(self, sender: str, address: str) -> ResolveReply:
        """Do the same for an address verification probe, with the address_verify_* parameters.  Never remembered."""
        reply = await self._ask(VerifyRequest(sender=sender, address=address))
        if reply.flags & TABLES_CHANGED:
            self._service.disconnect()
        return reply

    async def _ask(self, request: ResolveRequest | VerifyRequest) -> ResolveReply:
        for attempt in range(_TRIES):
            try:
                return await self._service.ask(await self._standard(request), ResolveReply)
            except ServiceError as error:
                log.warning(f"problem talking to service {self._service.path.rpartition('/')[2]}: {error}")
                if attempt == _TRIES - 1:
                    raise
                await sleep(_PAUSE)
        raise AssertionError("the loop returns or raises")

    async def _standard(self, request: ResolveRequest | VerifyRequest) -> ResolveRequest | VerifyRequest:
        """Return the request as it is to be asked: here, as it was made."""
        return request


class StandardResolver(Resolver):
    """Resolves addresses as clients of smtpd(8) give them: the standard form of each, which mail from here would have.

    ``user`` goes to the domain of myorigin, which need not be one of ours.
    """

    async def _standard(self, request: ResolveRequest | VerifyRequest) -> ResolveRequest | VerifyRequest:
        if not request.address or is_standard(request.address):
            return request
        question = RewriteRequest(rule="local", address=internal_to_external(request.address))
        reply = await self._service.ask(question, RewriteReply)
        return replace(request, address=external_to_internal(reply.address))
