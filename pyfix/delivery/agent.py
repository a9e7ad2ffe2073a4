"""What every delivery agent is: a daemon that takes requests of qmgr(8) and delivers, one recipient after the other.

A process serves many requests at a time.  A request that is there when its connection is taken, as qmgr(8) of ours
sends it, is served without registering the connection with the event loop.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import ClassVar, Final

from pyfix.config.snapshot import Snapshot
from pyfix.delivery.outcome import Outcome
from pyfix.delivery.report import Delivery, Reporter
from pyfix.formats.attributes import AttributeListError
from pyfix.formats.queueid import is_valid
from pyfix.protocols.internal.delivery import (
    PROTOCOL,
    STATUS_DEFER,
    STATUS_FINAL,
    DeliveryReply,
    DeliveryRequest,
    MessageStats,
    Recipient,
    decode_recipients,
    decode_request,
    decode_whole,
)
from pyfix.queue.message import Message, MessageBusy
from pyfix.queue.spool import Spool
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import Daemon, report_bug
from pyfix.runtime.ipc import handshake
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import spawn
from pyfix.tables.maps import Maps
from pyfix.tables.table import Table

_READ_SIZE: Final = 65536
_LOOK_EVERY: Final = 1.0
_HANDSHAKE: Final = handshake(PROTOCOL)
_FINAL: Final = DeliveryReply(status=STATUS_FINAL).encode()
_DEFER: Final = DeliveryReply(status=STATUS_DEFER).encode()


class DeliveryAgent(Daemon):
    """Takes delivery requests.  Subclasses say how one recipient is delivered."""

    capacity = 100
    relay: ClassVar[str] = "none"
    """What stands after relay= in the log."""

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Read the settings.  Raises ConfigError."""
        super().__init__(invocation, snapshot)
        self.reporter = Reporter(self.mail)
        self._tables: list[Table] = []
        self._next_look = 0.0
        self.spool = Spool(self.mail.hash_queue_names, self.mail.hash_queue_depth)

    def watch_tables(self, maps: Sequence[Maps]) -> None:
        """End the process, for a new one to take its place, when a file of these tables changes."""
        self._tables = [table for group in maps for table in group.tables]

    def _tables_changed(self) -> bool:
        now = self.loop.now
        if now < self._next_look:
            return False
        self._next_look = now + _LOOK_EVERY
        for table in self._tables:
            if table.changed():
                log.info(f"table {table.name} has changed -- restarting")
                return True
        return False

    async def deliver(self, delivery: Delivery, recipient: Recipient) -> Outcome:
        """Deliver one message to one recipient and say how it went; raises nothing.

        The outcome is logged, told to bounce(8) or defer(8), and marked in the queue file by the caller.
        """
        raise NotImplementedError

    async def deliver_all(self, delivery: Delivery) -> DeliveryReply | None:
        """Deliver to all recipients of a request, and report each outcome.

        Returns the reply, None for the usual one: final when all recipients are finished, else defer.
        """
        finished = True
        for recipient in delivery.recipients:
            if not await self.deliver_and_report(delivery, recipient):
                finished = False
        return None if finished else _LEFT

    async def deliver_and_report(self, delivery: Delivery, recipient: Recipient) -> bool:
        """Deliver to one recipient, report the outcome, and say whether the recipient is finished."""
        outcome = await self.deliver(delivery, recipient)
        return await self.reporter.report(delivery, recipient, outcome, self.relay)

    # Requests

    def admit(self, connection: socket.socket) -> None:
        """Take a connected client and serve it."""
        self.client_began()
        if self._tables and self._tables_changed():
            self.retire()
        spawn(self._serve(connection), self._ended)

    def _ended(self, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, (StreamClosed, StreamTimeout)):
            report_bug(error)
        self.client_ended()

    async def _serve(self, connection: socket.socket) -> None:
        stream: Stream | None = None
        try:
            try:
                data = connection.recv(_READ_SIZE)
                if not data:
                    return
            except BlockingIOError:
                data = b""
            parsed = decode_whole(data) if data else None
            if parsed is None:
                # The client waits for our greeting, or has more to say than a read takes.
                stream = Stream(connection, self.client_timeout())
                stream.write(_HANDSHAKE)
                parsed = await _receive(stream, data)
                if parsed is None:
                    return
            reply = await self.serve_request(*parsed)
            if reply is None:
                return
            if stream is not None:
                stream.write(reply)
                await stream.drain()
            else:
                connection.send(_HANDSHAKE + reply)
        except AttributeListError as error:
            log.warning(f"delivery request: {error}")
        except OSError as error:
            log.warning(f"delivery request: {error.strerror}")
        finally:
            if stream is not None:
                stream.close()
            else:
                connection.close()

    async def serve_request(self, request: DeliveryRequest, recipients: list[Recipient]) -> bytes | None:
        """Serve one request; return the reply, or None when there is nothing to say."""
        problem = _problem(request, recipients)
        if problem:
            log.warning(problem)
            return None
        try:
            message = Message(self.spool.path(request.queue_name, request.queue_id))
        except MessageBusy:
            log.warning(f"shared lock {request.queue_id}: Resource temporarily unavailable")
            return _DEFER
        except OSError as error:
            log.warning(f"open {request.queue_name} {request.queue_id}: {error.strerror}")
            return _DEFER
        try:
            delivery = Delivery(request, recipients, message, MessageStats.decode(request.time))
            reply = await self.deliver_all(delivery)
        finally:
            message.close()
        if reply is None:
            return _FINAL
        return _DEFER if reply is _LEFT else reply.encode()


_LEFT: Final = DeliveryReply(status=STATUS_DEFER)

_Request = tuple[DeliveryRequest, list[Recipient]]


def _problem(request: DeliveryRequest, recipients: list[Recipient]) -> str:
    if not request.nexthop:
        return "empty nexthop hostname"
    if request.queue_name not in ("active", "incoming", "deferred"):
        return f"bad queue name: {request.queue_name}"
    if not is_valid(request.queue_id):
        return f"bad queue id: {request.queue_id}"
    if not recipients:
        return f"{request.queue_id}: no recipients in delivery request for destination {request.nexthop}"
    return ""


async def _receive(stream: Stream, data: bytes) -> _Request | None:
    """Read the rest of a request whose first bytes are *data*; None when the client leaves instead."""
    head = decode_request(data) if data else None
    while head is None:
        more = await stream.read()
        if not more:
            return None
        data += more
        head = decode_request(data)
    request, start = head
    recipients: list[Recipient] = []
    while True:
        found, end = decode_recipients(data, start, request.recipient_count - len(recipients))
        recipients += found
        if len(recipients) >= request.recipient_count:
            return request, recipients
        data, start = data[end:], 0
        more = await stream.read()
        if not more:
            return None
        data += more
