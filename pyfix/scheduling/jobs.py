"""The preemptive discipline of qmgr(8): messages in the order of their arrival, and small ones in between.

A job is what one message has to deliver by one transport.  The first job that can go on gets the next delivery; its
destinations take turns.  For each so many deliveries (slot_cost) a job earns a slot, and a later job that needs no more
deliveries than the earlier one has slots may go before it.  So a message with many recipients is delayed by a fixed
share, and a small one behind it does not wait for its end.

While no message has so many recipients, there is nobody to go before: destinations take turns then, without jobs.
Source: SCHEDULER_README; postconf(5) default_delivery_slot_cost and its relatives.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count, islice
from math import ceil
from typing import TYPE_CHECKING, Final

from pyfix.scheduling.feedback import ConcurrencyRules
from pyfix.scheduling.transport import Destination, Transport

if TYPE_CHECKING:
    from pyfix.scheduling.message import ActiveMessage, Entry

_LAST: Final = 1 << 62
"""Stands behind all jobs that go before this one."""
_MOST_CANDIDATES: Final = 1000
_LOOKED_AT: Final = 100

Key = tuple[int, ...]
"""Where a job stands: keys sort as their jobs go."""


@dataclass(frozen=True, slots=True)
class SlotRules:
    """When a job may go before another."""

    cost: int = 5
    """Deliveries for a slot; 0: no job goes before another."""
    loan: int = 3
    """Slots that need not have been earned yet; they have to be before another job goes before the same one."""
    discount: int = 50
    """Per cent of the slots needed of which the same is true."""
    minimum: int = 3
    """A job that can't earn so many slots is not interrupted."""


class Peer:
    """What one job has for one destination."""

    __slots__ = ("destination", "entries", "job")

    def __init__(self, job: Job, destination: JobDestination) -> None:
        self.job = job
        self.destination = destination
        self.entries: deque[Entry] = deque()


class Job:
    """What one message has to deliver by one transport."""

    __slots__ = ("children", "is_big", "key", "looked", "message", "peers", "selected", "used", "waiting")

    def __init__(self, message: ActiveMessage, key: Key) -> None:
        self.message = message
        self.key = key
        self.waiting = 0
        """Entries for which nobody has been found yet."""
        self.selected = 0
        self.used = 0
        """Slots that others have taken."""
        self.children = 0
        """Jobs that went before this one."""
        self.is_big = False
        self.looked = (-1, 0)
        """What was known when nobody was found who could go before, and the deliveries after which that may change."""
        self.peers: dict[Destination, Peer] = {}

    def needs(self, recipient_limit: int) -> int:
        """Return how many deliveries are left, of what is in memory and of what is not."""
        unread = self.message.unread
        return self.waiting + (unread if recipient_limit < 2 else -(-unread // recipient_limit))

    def is_free(self) -> bool:
        """Tell whether one of its deliveries could begin."""
        return any(destination.is_free() for destination in self.peers)


class JobDestination(Destination):
    """A destination, with the jobs that have something for it."""

    __slots__ = ("in_jobs", "offered", "peers")

    def __init__(self, transport: Transport, name: str, nexthop: str) -> None:
        super().__init__(transport, name, nexthop)
        self.peers: deque[Peer] = deque()
        """In the order of their jobs."""
        self.in_jobs = 0
        """Entries in them."""
        self.offered: Key | None = None
        """The job for which it waits for a delivery."""

    @property
    def waiting(self) -> int:
        """Entries for which nobody has been found yet."""
        return len(self.todo) + self.in_jobs

    def place(self, peer: Peer) -> None:
        """Put a job's share where the job stands among the others."""
        peers, key = self.peers, peer.job.key
        if not peers or peers[-1].job.key < key:
            peers.append(peer)
            return
        for index, other in enumerate(peers):
            if key < other.job.key:
                peers.insert(index, peer)
                return


class JobTransport(Transport):
    """A transport whose deliveries go job by job."""

    destination_type = JobDestination

    def __init__(
        self,
        name: str,
        rules: ConcurrencyRules,
        recipient_limit: int,
        rate_delay: int,
        slots: SlotRules | None = None,
    ) -> None:
        """See Transport; *slots* are the usual ones unless given."""
        super().__init__(name, rules, recipient_limit, rate_delay)
        self._slots = slots or SlotRules()
        self._numbers = count(1)
        self._ready: list[tuple[Key, int, JobDestination]] = []
        """A heap of destinations that can use a delivery, by the first job of each."""
        self._turn = self._waiting = 0
        self._big = 0
        """Jobs that may be interrupted."""
        self._candidates: dict[Job, None] = {}
        """Jobs that came when there was one of those."""
        self._changes = 0
        cost = self._slots.cost
        self._interesting = cost * max(self._slots.minimum, 1) if cost > 0 else _LAST
        """Deliveries of a job that may be interrupted."""

    def add(self, entry: Entry) -> None:
        """Let an entry wait for its destination."""
        message = entry.message
        if not self._waiting and message.outstanding < self._interesting and not message.unread:
            super().add(entry)
            return
        destination = entry.destination
        assert isinstance(destination, JobDestination)
        if message.jobs is None:
            message.jobs = {}
        job = message.jobs.get(self)
        if job is None:
            job = message.jobs[self] = Job(message, (next(self._numbers), _LAST))
        peer = job.peers.get(destination)
        if peer is None:
            peer = job.peers[destination] = Peer(job, destination)
            destination.place(peer)
        peer.entries.append(entry)
        destination.in_jobs += 1
        job.waiting += 1
        self._waiting += 1
        self._consider(job)
        self._offer_jobs(destination)

    def _consider(self, job: Job) -> None:
        """Note that a job may be interrupted, or may go before one that may be."""
        if not job.is_big and job.selected + job.needs(self.recipient_limit) >= self._interesting:
            job.is_big = True
            self._big += 1
        if self._big > job.is_big and job not in self._candidates:
            if len(self._candidates) >= _MOST_CANDIDATES:
                self._candidates = {other: None for other in self._candidates if other.waiting}
            if len(self._candidates) < _MOST_CANDIDATES:
                self._candidates[job] = None
        self._changes += 1

    def offer(self, destination: Destination) -> None:
        """Give a destination a place among those that wait for a delivery, if it can use one."""
        super().offer(destination)
        assert isinstance(destination, JobDestination)
        if destination.peers:
            self._offer_jobs(destination)

    def _offer_jobs(self, destination: JobDestination) -> None:
        if not destination.is_free():
            return
        key = destination.peers[0].job.key
        if destination.offered is None or key < destination.offered:
            destination.offered = key
            self._turn = turn = self._turn + 1
            heappush(self._ready, (key, turn, destination))

    def next_entry(self) -> Entry | None:
        """Take the next entry to deliver, counted as busy; None when no destination is ready."""
        entry = super().next_entry()
        if entry is None and self._ready:
            return self._next_of_jobs()
        return entry

    def _next_of_jobs(self) -> Entry | None:
        ready = self._ready
        while ready:
            key, _, destination = heappop(ready)
            if destination.offered != key:
                continue  # It has another place.
            destination.offered = None
            if not destination.peers or not destination.is_free():
                continue
            job = destination.peers[0].job
            if job.key == key and not (job.is_big and self._candidates and self._interrupt(job)):
                entry = self._take_of_jobs(destination)
                job.selected += 1
                destination.busy += 1
                destination.choose_caching()
                if destination.peers:
                    self._offer_jobs(destination)
                return entry
            self._offer_jobs(destination)
        return None

    def take(self, destination: Destination) -> Entry:
        """Take what waits first for a destination, whether it is free or not."""
        if destination.todo:
            return super().take(destination)
        assert isinstance(destination, JobDestination)
        return self._take_of_jobs(destination)

    def _take_of_jobs(self, destination: JobDestination) -> Entry:
        peer = destination.peers[0]
        entry = peer.entries.popleft()
        job = peer.job
        if not peer.entries:
            destination.peers.popleft()
            del job.peers[destination]
        destination.in_jobs -= 1
        job.waiting -= 1
        self._waiting -= 1
        if not job.waiting and job.is_big:
            job.is_big = False
            self._big -= 1
            if not self._big:
                self._candidates.clear()
        return entry

    def put_back(self, entry: Entry) -> None:
        """Undo next_entry: the entry could not be given to an agent."""
        job = entry.message.jobs.get(self) if entry.message.jobs else None
        if job is None:
            super().put_back(entry)
            return
        destination = entry.destination
        destination.busy -= 1
        job.selected -= 1
        self._waiting += 1  # whatever else waits, it belongs to its job
        self.add(entry)
        self._waiting -= 1
        entries = job.peers[destination].entries
        entries.appendleft(entries.pop())

    # Interruptions

    def _interrupt(self, job: Job) -> bool:
        """Let the job that has waited longest for its size go before *job*, if one may; tell whether it does."""
        slots, limit = self._slots, self.recipient_limit
        cost = slots.cost
        available = job.selected - job.used * cost
        if available <= 0:
            return False  # A loan, and what was discounted, are paid back first.
        if job.looked[0] == self._changes and available < job.looked[1]:
            return False
        total = job.selected + job.needs(limit)
        if total < slots.minimum * cost:
            return False
        most = total // cost - job.used
        best, best_score, now = None, 0.0, time.time()
        enough = available + cost
        gone = []
        for other in islice(self._candidates, _LOOKED_AT):
            if not other.waiting or other.key < job.key or other is job:
                if not other.waiting:
                    gone.append(other)
                continue
            needed = other.needs(limit)
            if needed > most:
                continue
            price = (ceil(needed * (100 - slots.discount) / 100) - slots.loan) * cost
            if price > available:
                enough = min(enough, price)
                continue
            score = (now - other.message.active_time + 1.0) / needed
            if score > best_score and other.is_free():
                best, best_score = other, score
        for other in gone:
            del self._candidates[other]
        if best is None:
            job.looked = self._changes, enough
            return False
        job.used += best.needs(limit)
        job.looked = (-1, 0)
        self._let_before(best, job)
        return True

    def _let_before(self, job: Job, later: Job) -> None:
        del self._candidates[job]
        job.key = (*later.key[:-1], later.children, _LAST)
        later.children += 1
        for peer in job.peers.values():
            peer.destination.peers.remove(peer)
            peer.destination.place(peer)
            self._offer_jobs(peer.destination)
