"""What every delivery agent is: a daemon that takes requests of qmgr(8) and delivers, one recipient after the other.

A process serves many requests at a time.  A request that is there when its connection is taken, as qmgr(8) of ours
sends it, is served without registering the connection with the event loop.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from pyfix.config.snapshot import Snapshot
from pyfix.delivery.outcome import Outcome
from pyfix.delivery.report import Delivery, NotMarked, Reporter
from pyfix.delivery.requests import problem_of, receive_request
from pyfix.delivery.standing import StandingConnections, read_request
from pyfix.delivery.statusfilter import StatusFilter
from pyfix.formats.attributes import AttributeListError
from pyfix.protocols.internal.delivery import (
    PROTOCOL,
    STATUS_DEFER,
    STATUS_FINAL,
    DeliveryReply,
    DeliveryRequest,
    MessageStats,
    Recipient,
    decode_whole,
)
from pyfix.protocols.internal.standing import STAYS
from pyfix.queue.message import Message, MessageBusy
from pyfix.queue.spool import Spool
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import Daemon, report_bug
from pyfix.runtime.ipc import handshake
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import spawn
from pyfix.tables.flags import describe
from pyfix.tables.maps import Maps
from pyfix.tables.table import Table

_LOOK_EVERY: Final = 1.0
_HANDSHAKE: Final = handshake(PROTOCOL)
_FINAL: Final = DeliveryReply(status=STATUS_FINAL).encode()
_DEFER: Final = DeliveryReply(status=STATUS_DEFER).encode()


class NoAnswer(Exception):
    """Something that Postfix's agent ends over was logged: qmgr(8) hears nothing, as from a process that has ended."""


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
        self._most_uses = -1
        self._answers_now = type(self).outcome_now is not DeliveryAgent.outcome_now
        """Some outcomes are known at once."""
        self._answers: list[tuple[int, bytes]] = []
        self._standing = StandingConnections(self._begin, self._may_read)
        self.spool = Spool(self.mail.hash_queue_names, self.mail.hash_queue_depth)

    def filter_outcomes(self, name: str, value: Sequence[str]) -> Maps:
        """Let the tables of a delivery status filter, the parameter *name*, change outcomes; return them to be watched.

        Source: postconf(5) default_delivery_status_filter.
        """
        maps = StatusFilter(name, value, self.snapshot)
        self.reporter = Reporter(self.mail, maps)
        return maps

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
                log.info(f"table {table.name}(0,{describe(table.opening.flags)}) has changed -- restarting")
                return True
        return False

    def outdated(self) -> bool:
        """Say whether a table has changed."""
        self._next_look = 0.0
        return self._tables_changed()

    async def deliver(self, delivery: Delivery, recipient: Recipient) -> Outcome:
        """Deliver one message to one recipient and say how it went; raises nothing.

        The outcome is logged, told to bounce(8) or defer(8), and marked in the queue file by the caller.
        """
        raise NotImplementedError  # for the subclass

    async def deliver_all(self, delivery: Delivery) -> DeliveryReply | None:
        """Deliver to all recipients of a request, and report each outcome.

        Returns the reply, None for the usual one: final when all recipients are finished, else defer.
        """
        finished = True
        for recipient in delivery.recipients:
            if not await self.deliver_and_report(delivery, recipient):
                finished = False
        return None if finished else LEFT

    async def deliver_and_report(self, delivery: Delivery, recipient: Recipient) -> bool:
        """Deliver to one recipient, report the outcome, and say whether the recipient is finished."""
        outcome = await self.deliver(delivery, recipient)
        return await self.reporter.report(delivery, recipient, outcome, self.relay)

    def outcome_now(self, delivery: Delivery, recipient: Recipient) -> Outcome | None:
        """Return what deliver would, if nothing has to be waited for; None when deliver must be asked."""
        return None

    # Requests

    def max_use(self) -> int:
        """Clients after which the process retires.  Source: postconf(5) max_use."""
        if self._most_uses < 0:
            self._most_uses = super().max_use()
        return self._most_uses

    def accepter(self, listener: socket.socket) -> Callable[[int], None]:
        """Return the handler that reads all requests that are there, serves them, and answers at the turn's end.

        Each kind of work is done for all of them together, so that it finds the processor's caches warm.  Connections
        are bare descriptors here: to make a socket object costs more than all that would be done with it.
        """
        accept = listener._accept  # type: ignore[attr-defined]  # accept() without the object; typeshed leaves it out

        def readable(_event: int) -> None:
            arrived: list[tuple[int, bytes | None]] = []
            room = self.capacity - self._clients
            try:
                while len(arrived) < room:
                    fd, _address = accept()
                    os.set_blocking(fd, False)
                    arrived.append((fd, read_request(fd)))
            except BlockingIOError:
                pass
            except OSError as error:
                self.not_accepted(error)
            # What waited for this process to start may be requests of a qmgr(8) that has ended since; the next one asks
            # again, and what we deliver or defer for nobody would be done twice, or stay for ever.
            gone = _which_have_gone([fd for fd, _ in arrived]) if not self._proven else ()
            for fd, data in arrived:
                self._begin(fd, b"" if fd in gone else data)

        return readable

    def _begin(self, fd: int, data: bytes | None) -> None:
        """Serve the client *fd*, of which *data* was read: None if it has said nothing yet, b"" if it is gone."""
        self.client_began()
        if self._tables and self._tables_changed():
            self.retire()
        try:
            reply = self._serve_now(fd, data)
        except Exception as error:
            report_if_bug(error)
            reply = b""
        if reply is not None:
            self._answer(fd, reply)

    def _serve_now(self, fd: int, data: bytes | None) -> bytes | None:
        """Serve a client as far as nothing is waited for; return the reply, None when a coroutine goes on with it."""
        if data is None:
            parsed = None
        else:
            if not data:
                return data
            if data.endswith(STAYS):
                data = data[: -len(STAYS)]
                self._standing.wanted.add(fd)
            parsed = decode_whole(data)
        if parsed is None:
            # The client waits for our greeting, or has more to say than a read takes.
            greeting = b"" if fd in self._standing else _HANDSHAKE
            self._standing.release(fd)
            spawn(self._serve_slowly(socket.socket(fileno=fd), greeting, data or b""), self._ended)
            return None
        request, recipients, stats = parsed
        message = self._open(request, recipients)
        if isinstance(message, bytes):
            return message
        delivery = Delivery(request, recipients, message, stats)
        if self._answers_now:
            try:
                done = self._deliver_now(delivery)
            except BaseException:
                message.close()
                raise
            if done:
                message.close()
                return _FINAL
        spawn(self._serve(fd, delivery), report_if_bug)
        return None

    def _deliver_now(self, delivery: Delivery) -> bool:
        """Deliver to those recipients for whom nothing is waited for; tell whether these were all."""
        for index, recipient in enumerate(delivery.recipients):
            outcome = self.outcome_now(delivery, recipient)
            if outcome is None or not self.reporter.report_now(delivery, recipient, outcome, self.relay):
                if index:
                    delivery.recipients = delivery.recipients[index:]
                return False
        return True

    async def _serve(self, fd: int, delivery: Delivery) -> None:
        reply = b""
        try:
            reply = await self._deliver(delivery)
        finally:
            self._answer(fd, reply)

    async def _deliver(self, delivery: Delivery) -> bytes:
        """Deliver to all recipients and close the queue file; return the reply."""
        try:
            reply = await self.deliver_all(delivery)
        finally:
            delivery.message.close()
        if reply is None:
            return _FINAL
        return _DEFER if reply is LEFT else reply.encode()

    def _answer(self, fd: int, reply: bytes) -> None:
        """Answer a client with the others of this turn, after the log lines; nothing to say closes its connection."""
        if not self._answers:
            self.loop.at_turn_end(self._send_answers)
        self._answers.append((fd, reply))

    def _send_answers(self) -> None:
        log.send_gathered()  # before qmgr(8) can say that the message is removed
        answers, self._answers = self._answers, []
        standing = self._standing
        for fd, reply in answers:
            first = fd not in standing
            stays = bool(reply) and self._may_stand(first, first and fd in standing.wanted)
            try:
                if reply:
                    os.write(fd, _HANDSHAKE + reply + (STAYS if stays else b"") if first else reply)
            except OSError as error:
                log.warning(f"delivery request: {error.strerror}")
                stays = False
            if stays:
                standing.keep(fd)
            else:
                standing.close(fd)
            self.client_ended()

    def _may_stand(self, first: bool, wanted: bool) -> bool:
        """Say whether a connection stays open for another request; agents that serve one at a time have no place."""
        return (wanted or not first) and self.capacity > 1 and not self._retiring

    def _may_read(self) -> bool:
        """Say whether this process may still serve a client whose connection stood."""
        if self.invocation.chroot and self.outdated():
            self.retire()
            return False
        return True

    def retire(self) -> None:
        """Take no more requests."""
        super().retire()
        self._standing.close_idle()

    async def _serve_slowly(self, connection: socket.socket, greeting: bytes, data: bytes) -> None:
        """Serve a client that has sent only *data* so far."""
        stream = Stream(connection, self.client_timeout())
        try:
            if greeting:
                stream.write(greeting)
            parsed = await receive_request(stream, data)
            if parsed is None:
                return
            request, recipients, rest = parsed
            stats = MessageStats.decode(request.time)
            message = self._open(request, recipients)
            if isinstance(message, bytes):
                reply = message
            else:
                reply = await self._deliver(Delivery(request, recipients, message, stats))
            stays = bool(reply) and self._may_stand(bool(greeting), rest == STAYS)
            log.send_gathered()
            stream.write(reply + STAYS if stays and greeting else reply)
            await stream.drain()
            if stays:
                self._standing.keep(stream.detach())
        except AttributeListError as error:
            log.warning(f"delivery request: {error}")
        except OSError as error:
            log.warning(f"delivery request: {error.strerror}")
        finally:
            stream.close()

    def _ended(self, error: BaseException | None) -> None:
        report_if_bug(error)
        self.client_ended()

    def _open(self, request: DeliveryRequest, recipients: list[Recipient]) -> Message | bytes:
        """Open and lock the queue file; return the reply when that cannot be done, b"" if there is nothing to say."""
        problem = problem_of(request, recipients)
        if problem:
            log.warning(problem)
            return b""
        try:
            return Message(self.spool.path(request.queue_name, request.queue_id))
        except MessageBusy:
            log.warning(f"shared lock {request.queue_id}: Resource temporarily unavailable")
        except FileNotFoundError as error:
            log.warning(f"open {request.queue_name} {request.queue_id}: {error.strerror}")
        except OSError as error:
            log.fatal(f"open {request.queue_name} {request.queue_id}: {error.strerror}")
            return b""  # As from a process that ended over it; ours has other clients.
        return _DEFER


def _which_have_gone(fds: list[int]) -> set[int]:
    """Return which clients have closed their connections; those that only say that no more comes have not."""
    poller = select.poll()
    for fd in fds:
        poller.register(fd, 0)
    return {fd for fd, _event in poller.poll(0)}


def report_if_bug(error: BaseException | None) -> None:
    """Log what was raised, unless the client was just gone or silent, or the log has it."""
    if error is not None and not isinstance(error, (StreamClosed, StreamTimeout, NotMarked, NoAnswer)):
        report_bug(error)


LEFT: Final = DeliveryReply(status=STATUS_DEFER)
"""The usual reply when a recipient is left."""
