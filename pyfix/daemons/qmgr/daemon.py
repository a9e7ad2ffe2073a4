"""qmgr(8): moves mail from incoming and deferred into the active queue, and has it delivered."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import termios
import time
from collections.abc import Sequence
from itertools import islice
from typing import ClassVar, Final

from pyfix.clients.resolve import AT_ONCE, Resolver, rewrite_service
from pyfix.config.errors import ConfigError
from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.qmgr.completion import Completion
from pyfix.daemons.qmgr.dispatch import Dispatcher
from pyfix.daemons.qmgr.intake import Fetched, Intake, Taken, give_up
from pyfix.daemons.qmgr.limits import adjusted_limits
from pyfix.daemons.qmgr.queuescan import QueueScan
from pyfix.daemons.qmgr.refill import Refill
from pyfix.daemons.qmgr.routing import RETRY, Routed, Router, group
from pyfix.daemons.qmgr.transports import Transports
from pyfix.protocols.internal.delivery import MTA_VERIFY, InternalProtocol
from pyfix.queue.envelope import EnvelopeRecipient
from pyfix.queue.flow import Flow
from pyfix.queue.message import MessageDamaged
from pyfix.queue.scan import other_names, queue_ids
from pyfix.queue.spool import ACTIVE, DEFER, DEFERRED, INCOMING, Spool
from pyfix.runtime.child import FLOW_READ, Invocation
from pyfix.runtime.daemon import report_bug, run
from pyfix.runtime.ipc import trigger
from pyfix.runtime.log import log
from pyfix.runtime.task import spawn
from pyfix.runtime.triggers import TriggerDaemon
from pyfix.scheduling.message import ActiveMessage, Entry

_PORTION: Final = 100
"""Files that are taken in one turn of the loop."""
_LOOKS: Final = 1000
"""Files that are looked at in one turn, most of which may not be due."""
_WAKE_UP: Final = b"W"
_TOO_MANY_PROBES: Final = "4.3.2 Too many address verification requests"
_EXPIRED: Final = "4.7.0 message is administratively expired"


class QueueManager(TriggerDaemon):
    """The queue manager."""

    program = "qmgr"
    by_turns: ClassVar[bool] = False
    """Whether destinations take turns rather than jobs."""
    pinned = True
    process_limit = 1

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Read the settings.  Raises ConfigError."""
        super().__init__(invocation, snapshot)
        settings = self.settings = QmgrSettings(snapshot)
        settings.check()
        self._limits = adjusted_limits(settings)
        self._spool = Spool(settings.hash_queue_names, settings.hash_queue_depth)
        protocol = _internal_protocol(snapshot)
        self._resolver = Resolver(
            rewrite_service(
                settings.rewrite_service_name,
                timeout=settings.qmgr_ipc_timeout,
                idle=settings.ipc_idle,
                ttl=settings.ipc_ttl,
            )
        )
        self._transports = Transports(settings, snapshot, by_turns=self.by_turns)
        self._router = Router(settings, self._resolver, self._transports)
        self._intake = Intake(settings, self._spool)
        self._dispatcher = Dispatcher(settings, self._transports, self._entry_done, protocol, lambda: self._active)
        self._completion = Completion(
            settings,
            self._spool,
            self._intake,
            protocol,
            self._gone,
            _report,
            bounce_lifetime=self._limits.bounce_lifetime,
        )
        self._incoming = QueueScan(INCOMING)
        self._deferred = QueueScan(DEFERRED)
        self._active = 0
        self._refill = Refill(settings, self._limits.recipients)
        self._probes: set[str] = set()
        """Active messages that only ask whether an address is good."""
        self._feeding = False
        self._next_portion = False
        self._flow: Flow | None = None

    def watchdog_seconds(self) -> int:
        """Return how long one turn of the loop may take.  Source: postconf(5) qmgr_daemon_timeout."""
        return self.settings.qmgr_daemon_timeout

    def started(self) -> None:
        """Begin with what is there."""
        if self.settings.in_flow_delay > 0:
            self._flow = Flow()
        self._move_active_to_incoming()
        self._incoming.request(self._spool, ignore_times=False)
        self._scan_deferred()

    def _scan_deferred(self) -> None:
        self._deferred.request(self._spool, ignore_times=False)
        self.loop.later(self.settings.queue_run_delay, self._scan_deferred)
        self._feed_soon()

    def _move_active_to_incoming(self) -> None:
        """Put back what an earlier queue manager left: its deliveries may be over, or still go on."""
        for name in other_names(self._spool, ACTIVE):
            log.warning(f"qmgr_move: ignored: queue {ACTIVE} id {name}")
        now = int(time.time())
        for queue_id, path in queue_ids(self._spool, ACTIVE):
            step = f"update {path} time stamps"
            try:
                os.utime(path, (now, now))  # as the owner only: a file that is not ours is not put back
                step = f"rename {queue_id} from {ACTIVE} to {INCOMING}"
                self._spool.rename(queue_id, ACTIVE, INCOMING)
            except FileNotFoundError as error:  # postsuper(1) has removed it
                log.warning(f"qmgr_move: {step}: {error.strerror}")
            except OSError as error:
                give_up(f"qmgr_move: {step}: {error.strerror}")
            else:
                self._intake.doubtful.add(queue_id)

    def stopping(self) -> None:
        """Wake the next queue manager, which takes over what is active here.

        master(8) has woken this one when it was told to reload: if that was read before we knew that our time is over,
        nobody else would ask for another process until more mail comes, or master wakes qmgr again.
        """
        trigger(f"public/{self.settings.queue_service_name}", _WAKE_UP)

    # Triggers

    def triggered(self, requests: bytes) -> None:
        """Scan what is asked for: I and W incoming, D deferred, A whatever the time stamps, F forget what is dead."""
        flush = b"F" in requests
        if flush:
            self._dispatcher.revive_all()
        ignore_times = b"A" in requests
        if b"D" in requests:
            self._deferred.request(self._spool, ignore_times=ignore_times, flush=flush)
        if b"I" in requests or b"W" in requests:
            self._incoming.request(self._spool, ignore_times=ignore_times, flush=flush)
        self._feed_soon()

    # Into the active queue

    def _feed_soon(self) -> None:
        if not self._feeding:
            self._feeding = True
            self.loop.at_turn_end(self._feed)

    def _feed(self) -> None:
        """Take a portion of each queue, as long as there is room."""
        self._feeding = False
        taken = self._take_portion(self._incoming)
        self._take_portion(self._deferred)
        if self._flow is not None:
            self._return_tokens(taken)
        if self._has_room() and (self._incoming.files is not None or self._deferred.files is not None):
            self._feeding = True
            self.loop.later(0, self._feed)

    def _has_room(self) -> bool:
        return self._active < self.settings.qmgr_message_active_limit

    def _take_portion(self, scan: QueueScan) -> int:
        files = scan.files
        if files is None:
            return 0
        settings = self.settings
        now = time.time()
        ignore_times, flushes = scan.ignores_times, scan.flushes
        fetched: list[Fetched] = []
        most = max(min(_PORTION, settings.qmgr_message_active_limit - self._active), 0)
        if not most:
            return 0
        try:
            due, seen = self._intake.due(islice(files, _LOOKS), now, most=most, ignore_times=ignore_times)
        except OSError as error:
            give_up(f"scan_dir_push: open directory {error.filename}: {error.strerror}")
        if seen < _LOOKS and len(due) < most:
            scan.ended(self._spool)
        for found in due:
            try:
                file = self._intake.fetch(scan.queue, found)
            except OSError as error:
                report_bug(error)  # The others must not be lost for it.
                continue
            if file is not None:
                fetched.append(file)
        taken: list[Taken] = []
        read = 0
        for file in fetched:
            try:
                message = self._intake.read(file, now=now, most=self._refill.first(read))
            except Exception as error:
                report_bug(error)
                self._intake.defer(file.queue_id, settings.minimal_backoff_time)
                continue
            if message is not None:
                if flushes or message.unthrottle:
                    message.message.flushed = True
                taken.append(message)
                read += len(message.envelope.recipients)
        self._active += len(taken)
        for message in taken:
            try:
                self._begin(message)
            except Exception as error:
                report_bug(error)
        return len(taken)

    def _return_tokens(self, taken: int) -> None:
        """Let cleanup(8) go on: a token for each message taken, all of them when no mail waits.

        Source: postconf(5) in_flow_delay.
        """
        assert self._flow is not None
        limit = self.settings.default_process_limit
        present = _tokens()
        if present is None:
            return
        if present < limit:
            self._flow.put(limit - present if self._incoming.files is None else min(taken, limit - present))
        elif present > limit:
            self._flow.take(present - limit)

    def _begin(self, taken: Taken) -> None:
        message, envelope, unthrottle = taken
        recipients, envelope.recipients = envelope.recipients, []
        message.outstanding = 1
        if not message.complete:
            message.portion = len(recipients)
            message.read_at = self.loop.now
        if message.expire:
            self._expire(message, recipients)
            return
        if message.flags & MTA_VERIFY:
            self._probes.add(message.queue_id)
            if len(self._probes) > self.settings.address_verify_pending_request_limit:
                fail = self._router.fail
                self._enqueue(message, [fail(recipient, RETRY, _TOO_MANY_PROBES) for recipient in recipients])
                return
        if unthrottle:
            spawn(self._route_unthrottled(message, recipients), _report)
            return
        self._route(message, recipients)

    def _expire(self, message: ActiveMessage, recipients: list[EnvelopeRecipient]) -> None:
        if not os.access(self._spool.path(DEFER, message.queue_id), os.F_OK):
            self._enqueue(message, [self._router.fail(recipient, RETRY, _EXPIRED) for recipient in recipients])
            return
        # What the defer log says of earlier deliveries is the reason.
        message.deferred = True
        message.complete = True
        self._close_envelope(message)
        self._completion.finish(message)

    def _route(self, message: ActiveMessage, recipients: list[EnvelopeRecipient]) -> None:
        """Find the ways of a portion of recipients, which counts as outstanding meanwhile."""
        routed: list[Routed] = []
        route_now = self._router.route_now
        for index, recipient in enumerate(recipients):
            known = route_now(message, recipient)
            if known is None:
                spawn(self._route_rest(message, recipients[index:], routed), _report)
                return
            routed.append(known)
        self._enqueue(message, routed)

    async def _route_rest(
        self, message: ActiveMessage, recipients: list[EnvelopeRecipient], routed: list[Routed]
    ) -> None:
        router = self._router
        for start in range(0, len(recipients), AT_ONCE):
            some = recipients[start : start + AT_ONCE]
            await router.learn(message, some)
            for recipient in some:
                routed.append(router.route_now(message, recipient) or await router.route(message, recipient))
        self._enqueue(message, routed)

    async def _route_unthrottled(self, message: ActiveMessage, recipients: list[EnvelopeRecipient]) -> None:
        for recipient in recipients:
            routed = await self._router.route(message, recipient)
            if routed.destination.transport.name == RETRY:
                self._dispatcher.revive_all()
                break
        await self._route_rest(message, recipients, [])

    def _enqueue(self, message: ActiveMessage, routed: list[Routed]) -> None:
        nowhere = self._router.nowhere
        if nowhere is not None:
            gone = [recipient for destination, recipient in routed if destination is nowhere]
            if gone:
                self._completion.discard(message, gone)
                routed = [one for one in routed if one.destination is not nowhere]
        if not routed:
            message.outstanding -= 1
            self._look_at(message)
            return
        entries = group(message, routed)
        message.outstanding += len(entries) - 1
        self._refill.held += len(routed)
        if not message.complete:
            message.held += len(routed)
        add = self._dispatcher.add
        for entry in entries:
            entry.destination.transport.in_memory += len(entry.recipients)
            add(entry)

    # Out of it

    def _entry_done(self, entry: Entry, left: bool) -> None:
        message = entry.message
        if left:
            message.deferred = True
        done = len(entry.recipients)
        self._refill.held -= done
        entry.destination.transport.in_memory -= done
        message.outstanding -= 1
        if not message.complete:
            message.held -= done
            self._look_at(message)
        elif not message.outstanding:
            self._all_done(message)

    def _all_done(self, message: ActiveMessage) -> None:
        if message.flags:
            self._probes.discard(message.queue_id)
        if message.damage is not None:
            self._intake.reject(message.queue_id, message.damage)
            self._gone(1)
            return
        self._completion.finish(message)

    def _look_at(self, message: ActiveMessage) -> None:
        """Some of a message's recipients are done: read more of them, or end it, or neither."""
        if not message.complete:
            most = self._refill.next(message, self.loop.now)
            if most:
                self._read_on(message, most)
        elif not message.outstanding:
            self._all_done(message)

    def _read_on(self, message: ActiveMessage, most: int) -> None:
        envelope = message.envelope
        assert envelope is not None
        try:
            envelope.read(most)
        except (MessageDamaged, OSError) as error:
            self._damaged(message, error)
            return
        recipients, envelope.recipients = envelope.recipients, []
        message.portion = len(recipients)
        message.read_at = self.loop.now
        message.unread = max(message.unread - len(recipients), 1)
        if envelope.complete:
            message.complete = True
            message.unread = 0
            self._close_envelope(message)
        message.outstanding += 1
        self._route(message, recipients)

    def _damaged(self, message: ActiveMessage, error: Exception) -> None:
        """The rest of the recipients can't be read: what is under way ends as it may, and then so does the message."""
        self._close_envelope(message)
        message.complete = True
        message.damage = error if isinstance(error, MessageDamaged) else MessageDamaged("missing end record")
        if not message.outstanding:
            self._all_done(message)

    @staticmethod
    def _close_envelope(message: ActiveMessage) -> None:
        if message.envelope is not None:
            message.envelope.message.close()
            message.envelope = None

    def _gone(self, count: int) -> None:
        was_full = not self._has_room()
        self._active -= count
        if was_full and (self._incoming.files is not None or self._deferred.files is not None):
            self._feed_soon()


def _report(error: BaseException | None) -> None:
    if error is not None:
        report_bug(error)


def _tokens() -> int | None:
    """Return how many tokens the flow-control pipe has, None when there is no pipe."""
    try:
        answer = fcntl.ioctl(FLOW_READ, termios.FIONREAD, b"\0\0\0\0")
    except OSError:
        return None
    count: int = struct.unpack("i", answer)[0]
    return count


def _internal_protocol(snapshot: Snapshot) -> InternalProtocol:
    value = snapshot.raw("pyfix_internal_protocol") or "3.11"
    if value == "3.11":
        return "3.11"
    if value == "3.7":
        return "3.7"
    raise ConfigError(f"bad parameter value: pyfix_internal_protocol = {value}")


def main(argv: Sequence[str]) -> int:
    """Run under master(8), pyfix's or Postfix's, as the program whose name this process has; return the exit status."""
    if os.path.basename(sys.argv[0]) != "oqmgr":
        return run(QueueManager, argv)
    from pyfix.daemons.qmgr.oqmgr import OldQueueManager  # it is made of this module

    return run(OldQueueManager, argv)
