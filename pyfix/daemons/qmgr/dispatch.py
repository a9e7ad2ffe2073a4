"""Gives entries to delivery agents, and hears how it went."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from pyfix.clients.delivery import FINAL, Agents, AgentsBusy
from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.daemons.qmgr.clog import ClogWatch
from pyfix.daemons.qmgr.deferral import defer_entry
from pyfix.daemons.qmgr.request import encode_request
from pyfix.daemons.qmgr.routing import RETRY
from pyfix.daemons.qmgr.transports import Transports
from pyfix.protocols.internal.delivery import STATUS_FINAL, DeliveryReply, InternalProtocol
from pyfix.runtime.daemon import report_bug
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.task import spawn
from pyfix.scheduling.message import Entry
from pyfix.scheduling.transport import Destination, Transport

_FULL_PAUSE: Final = 0.02
_NO_SITES: Final = frozenset({"error", RETRY})
"""Transports whose destinations are texts; how well they are reached says nothing."""
_UNAVAILABLE: Final = "4.3.0 mail transport unavailable"
_UNKNOWN: Final = "4.3.0 unknown mail transport error"


class Dispatcher:
    """Keeps the agents of all transports busy, as far as windows allow."""

    def __init__(
        self,
        settings: QmgrSettings,
        transports: Transports,
        done: Callable[[Entry, bool], None],
        protocol: InternalProtocol,
        active: Callable[[], int],
    ) -> None:
        """*done* hears of each entry, and whether some of its recipients were left.

        *active* tells how many messages are active.
        """
        self._clog = ClogWatch(settings, active)
        self._most = self._clog.most
        self._crowded: dict[Destination, None] = {}
        """To look at when all that came together waits, and before some of it is under way."""
        self._settings = settings
        self._transports = transports
        self._done = done
        self._protocol: InternalProtocol = protocol
        self._timeout = settings.daemon_timeout
        self._transport_retry_time = settings.transport_retry_time
        self._minimal_backoff_time = settings.minimal_backoff_time
        self._agents: dict[str, Agents] = {}
        """By the path of their socket."""
        self._work: dict[Transport, None] = {}
        self._results: list[tuple[Entry, DeliveryReply | str]] = []

    def add(self, entry: Entry) -> None:
        """Let an entry wait for its turn."""
        destination = entry.destination
        transport = destination.transport
        transport.add(entry)
        if self._most and destination.waiting + destination.busy > self._most:
            self._crowded[destination] = None
        if transport not in self._work:
            self._wake(transport)

    def _wake(self, transport: Transport) -> None:
        if not self._work:
            current().soon(self._run)
        self._work[transport] = None

    def _run(self) -> None:
        if self._crowded:
            crowded, self._crowded = self._crowded, {}
            for destination in crowded:
                self._clog.look(destination)
        work, self._work = self._work, {}
        for transport in work:
            self._feed(transport)

    def _feed(self, transport: Transport) -> None:
        """Give a transport's agents all that may be delivered now: first write the requests, then send them."""
        next_entry, protocol, timeout = transport.next_entry, self._protocol, self._timeout
        while not transport.is_full and not transport.resting:
            requests: list[tuple[Entry, bytes]] = []
            while (entry := next_entry()) is not None:
                if transport.dead:
                    self._defer(entry, transport.dead)
                elif transport.pause and not transport.rested:
                    transport.put_back(entry)
                    transport.resting = True
                    current().later(transport.pause, self._transport_rested, transport)
                    break
                else:
                    transport.rested = False
                    requests.append((entry, encode_request(entry, protocol)))
            if not requests:
                return
            agents = self._agents.get(transport.path)
            if agents is None:
                agents = self._agents[transport.path] = Agents(transport.path)
            ask, answered = agents.ask, self._answered
            for index, (entry, request) in enumerate(requests):
                try:
                    ask(request, partial(answered, entry), timeout)
                except AgentsBusy:
                    self._put_back(transport, requests[index:])
                    transport.is_full = True
                    current().later(_FULL_PAUSE, self._not_full, transport)
                    break
                except OSError as error:
                    log.warning(f"connect to transport {transport.path}: {error.strerror}")
                    self._put_back(transport, requests[index:])
                    self._throttle(transport, _UNAVAILABLE)
                    break

    @staticmethod
    def _put_back(transport: Transport, requests: list[tuple[Entry, bytes]]) -> None:
        for entry, _ in reversed(requests):
            transport.put_back(entry)

    def _not_full(self, transport: Transport) -> None:
        transport.is_full = False
        self._wake(transport)

    def _transport_rested(self, transport: Transport) -> None:
        transport.resting = False
        transport.rested = True
        self._wake(transport)

    # Results

    def _answered(self, entry: Entry, result: DeliveryReply | str) -> None:
        """Keep a result until all that are there have been received."""
        if not self._results:
            current().arrived.append(self._act_on_results)
        self._results.append((entry, result))

    def _act_on_results(self) -> None:
        results, self._results = self._results, []
        for entry, result in results:
            try:
                self._ended(entry, result)
            except Exception as error:
                report_bug(error)

    def _ended(self, entry: Entry, result: DeliveryReply | str) -> None:
        destination = entry.destination
        transport = destination.transport
        destination.busy -= 1
        destination.last_done = int(current().now)
        transport.is_full = False
        left = True
        if result is FINAL:
            left = False
            self._succeeded(destination)
        elif isinstance(result, str):
            if result.startswith("timeout"):
                log.warning(f"{entry.message.queue_id}: {result} from transport: {transport.name}")
                self._throttle(transport, _UNKNOWN)
            else:
                # The agent ended without an answer; whether the next can start is for master(8) to find out.
                log.warning(f"{transport.path} socket: malformed response")
        else:
            left = result.status != STATUS_FINAL
            if result.dsn_status:
                self._failed(destination, result)
            else:
                self._succeeded(destination)
        if transport.rate_delay and not destination.resting:
            destination.resting = True  # first, so that it is not forgotten with its delay
            self.revive_destination(destination)  # the next delivery is slow enough
            current().later(transport.rate_delay, self._rested, destination)
        self._done(entry, left)
        if destination.waiting:
            transport.offer(destination)
            self._wake(transport)
        else:
            transport.forget_if_idle(destination)

    def _rested(self, destination: Destination) -> None:
        destination.resting = False
        destination.transport.offer(destination)
        self._wake(destination.transport)
        destination.transport.forget_if_idle(destination)

    def _succeeded(self, destination: Destination) -> None:
        if destination.transport.name not in _NO_SITES:
            destination.window.succeeded(destination.busy + 1)

    def _failed(self, destination: Destination, why: DeliveryReply) -> None:
        if destination.dead or not destination.window.failed():
            return
        destination.dead = f"{why.dsn_status} delivery temporarily suspended: {why.reason}"
        current().later(self._minimal_backoff_time, self.revive_destination, destination)
        self._drain(destination, destination.dead)

    def _throttle(self, transport: Transport, reason: str) -> None:
        if transport.dead:
            return
        transport.dead = reason
        current().later(self._transport_retry_time, self.revive_transport, transport)
        if transport.name == RETRY:
            for destination in list(transport.destinations.values()):
                while destination.waiting:
                    spawn(self._defer_here(transport.take(destination), reason), _report)
            return
        for destination in list(transport.destinations.values()):
            self._drain(destination, reason)

    def _drain(self, destination: Destination, reason: str) -> None:
        take = destination.transport.take
        while destination.waiting:
            self._redirect(take(destination), reason)

    def _defer(self, entry: Entry, reason: str) -> None:
        entry.destination.busy -= 1
        if entry.destination.transport.name == RETRY:
            spawn(self._defer_here(entry, reason), _report)
        else:
            self._redirect(entry, reason)

    async def _defer_here(self, entry: Entry, reason: str) -> None:
        try:
            await defer_entry(self._settings, entry, reason)
        finally:
            self._done(entry, True)

    def _redirect(self, entry: Entry, reason: str) -> None:
        """Let retry(8) defer an entry whose transport or destination is dead."""
        retry = self._transports.get(RETRY).destination(reason, reason)
        entry.destination.transport.in_memory -= len(entry.recipients)
        retry.transport.in_memory += len(entry.recipients)
        self.add(entry._replace(destination=retry))

    # Second chances

    def revive_destination(self, destination: Destination) -> None:
        """Forget that a destination is dead."""
        if destination.dead:
            destination.dead = ""
            destination.window.reset()
            destination.transport.offer(destination)
            self._wake(destination.transport)
            destination.transport.forget_if_idle(destination)

    def revive_transport(self, transport: Transport) -> None:
        """Forget that a transport is dead."""
        if transport.dead:
            transport.dead = ""
            self._wake(transport)

    def revive_all(self) -> None:
        """Forget all that is known of dead transports and destinations (trigger F)."""
        for transport in self._transports.all():
            self.revive_transport(transport)
            for destination in list(transport.destinations.values()):
                self.revive_destination(destination)


def _report(error: BaseException | None) -> None:
    if error is not None:
        report_bug(error)
