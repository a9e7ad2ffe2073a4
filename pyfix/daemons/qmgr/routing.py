"""Where each recipient of a message goes: transport, destination, and address there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from pyfix.clients.resolve import Resolver
from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.daemons.qmgr.transports import Transports
from pyfix.formats.extension import split_address
from pyfix.protocols.internal.delivery import MTA_VERIFY
from pyfix.protocols.internal.rewrite import CLASS_LOCAL, ERROR, FAIL, ResolveReply
from pyfix.queue.envelope import EnvelopeRecipient
from pyfix.runtime.ipc import ServiceError
from pyfix.scheduling.message import ActiveMessage, Entry
from pyfix.scheduling.transport import Destination

RETRY = "retry"


class Routed(NamedTuple):
    """One recipient and its destination."""

    destination: Destination
    recipient: EnvelopeRecipient


class Router:
    """Resolves recipients and groups them into entries."""

    def __init__(self, settings: QmgrSettings, resolver: Resolver, transports: Transports) -> None:
        """*resolver* asks trivial-rewrite(8)."""
        self._resolver = resolver
        self._transports = transports
        self._error_service = settings.error_service_name
        self._defer = frozenset(settings.defer_transports)
        self._delimiter = settings.recipient_delimiter
        self._default_filter_nexthop = settings.default_filter_nexthop
        self._double_bounce = settings.double_bounce_sender.lower()
        self.nowhere: Destination | None = None
        """Where mail for the sender of postmaster notices goes, which is not delivered; None before there is any."""

    def route_now(self, message: ActiveMessage, recipient: EnvelopeRecipient) -> Routed | None:
        """Route a recipient whose resolution is known already; None when trivial-rewrite(8) must be asked."""
        if message.filter or message.redirect or message.flags & MTA_VERIFY:
            return None
        reply = self._resolver.remembered(message.sender, recipient.recipient)
        if reply is None:
            return None
        if reply.recipient != recipient.recipient or reply.resolve_flags & (FAIL | ERROR | CLASS_LOCAL):
            return self._routed(message, recipient, reply)
        return self._placed(message, recipient, reply.transport, reply.nexthop)

    async def learn(self, message: ActiveMessage, recipients: Iterable[EnvelopeRecipient]) -> None:
        """Ask about several recipients side by side; their routes are then found at once."""
        if not message.filter and not message.redirect and not message.flags & MTA_VERIFY:
            await self._resolver.learn(message.sender, [recipient.recipient for recipient in recipients])

    async def route(self, message: ActiveMessage, recipient: EnvelopeRecipient) -> Routed:
        """Route a recipient.  Raises nothing: what cannot be resolved is deferred or bounced."""
        if message.redirect:
            original = recipient.original_recipient or recipient.recipient
            recipient = recipient._replace(recipient=message.redirect, original_recipient=original)
        if message.filter:
            if not recipient.recipient:
                return self.fail(recipient, self._error_service, "5.1.3 null recipient address")
            transport, _, nexthop = message.filter.partition(":")
            if not nexthop:
                nexthop = self._default_filter_nexthop or recipient.recipient.rpartition("@")[2]
            return self._placed(message, recipient, transport, nexthop)
        try:
            ask = self._resolver.resolve_probe if message.flags & MTA_VERIFY else self._resolver.resolve
            reply = await ask(message.sender, recipient.recipient)
        except ServiceError:
            return self.fail(recipient, RETRY, "4.3.0 address resolver failure")
        return self._routed(message, recipient, reply)

    def _routed(self, message: ActiveMessage, recipient: EnvelopeRecipient, reply: ResolveReply) -> Routed:
        if reply.resolve_flags & (FAIL | ERROR):
            if reply.resolve_flags & FAIL:
                return self.fail(recipient, RETRY, "4.3.0 address resolver failure")
            return self.fail(recipient, self._error_service, "5.1.3 bad address syntax")
        if reply.recipient != recipient.recipient:
            recipient = recipient._replace(recipient=reply.recipient)
        # What asks about the address, or wants a report, is answered by local(8).
        if reply.resolve_flags & CLASS_LOCAL and not message.flags and self._is_double_bounce(recipient.recipient):
            if self.nowhere is None:
                self.nowhere = self._transports.get(self._error_service).destination("", "")
            return Routed(self.nowhere, recipient)
        return self._placed(message, recipient, reply.transport, reply.nexthop)

    def _is_double_bounce(self, address: str) -> bool:
        return address.rpartition("@")[0].lower() == self._double_bounce

    def _placed(self, message: ActiveMessage, recipient: EnvelopeRecipient, name: str, nexthop: str) -> Routed:
        if name in self._defer and not message.flushed:
            return self.fail(recipient, RETRY, "4.3.2 deferred transport")
        transport = self._transports.get(name)
        if transport.dead and name != RETRY:
            return self.fail(recipient, RETRY, transport.dead)
        queue = nexthop
        if transport.recipient_limit == 1 and name not in (RETRY, self._error_service):
            # Concurrency is counted for each mailbox, address extensions aside.
            localpart, _, _ = split_address(recipient.recipient, self._delimiter)
            queue = f"{localpart}@{nexthop}"
        # The next hop of domains that differ in case only is one, written as for the first.
        destination = transport.destination(queue.lower(), nexthop)
        if destination.dead and name != RETRY:
            return self.fail(recipient, RETRY, destination.dead)
        return Routed(destination, recipient)

    def fail(self, recipient: EnvelopeRecipient, service: str, reason: str) -> Routed:
        """Send a recipient to the error or retry service; *reason* begins with an enhanced status code."""
        return Routed(self._transports.get(service).destination(reason, reason), recipient)


_LAST: Final = "\U0010ffff"
"""Sorts addresses without a domain behind the others."""


def group(message: ActiveMessage, routed: list[Routed]) -> list[Entry]:
    """Group recipients by destination, in portions of the transport's recipient limit."""
    if len(routed) == 1:
        return [Entry(message, routed[0].destination.known(), [routed[0].recipient])]
    by_destination: dict[int, Entry] = {}
    entries: list[Entry] = []
    single = bool(message.verp)
    # By transport, destination, domain and address: a mailing list's recipients of one site go together.
    for destination, recipient in sorted(routed, key=_order):
        limit = 1 if single else destination.transport.recipient_limit
        place = destination.known()
        key = id(place)
        entry = by_destination.get(key)
        if entry is None or (limit and len(entry.recipients) >= limit):
            entry = by_destination[key] = Entry(message, place, [])
            entries.append(entry)
        entry.recipients.append(recipient)
    return entries


def _order(routed: Routed) -> tuple[str, str, str, str]:
    destination, recipient = routed
    address = recipient.recipient
    _, at, domain = address.rpartition("@")
    return destination.transport.name, destination.name, domain.lower() if at else _LAST, address
