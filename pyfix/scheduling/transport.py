"""Transports and their destinations: who is delivered to next.

A transport is a service of master.cf, a destination one nexthop of it.  Each destination has a window of deliveries at
a time.  What is dead waits until its time is over.  Here destinations take turns, which is the discipline of oqmgr(8).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from pyfix.protocols.internal.delivery import CONN_LOAD, CONN_STORE
from pyfix.scheduling.feedback import ConcurrencyRules, Window

if TYPE_CHECKING:
    from pyfix.scheduling.message import Entry


@dataclass(frozen=True, slots=True)
class RecipientMemory:
    """How many recipients of a transport are held in memory, and when more of a message are read."""

    limit: int = 20000
    """Recipients at a time.  Source: default_recipient_limit."""
    extra: int = 1000
    """More of them for messages that would otherwise have to wait.  Source: default_extra_recipient_limit."""
    refill_limit: int = 100
    """More are read when there is room for so many.  Source: default_recipient_refill_limit."""
    refill_delay: int = 5
    """Seconds after which more are read when there is room for any.  Source: default_recipient_refill_delay."""


class Destination:
    """One nexthop of a transport: the entries that wait for it, and what is known of it."""

    __slots__ = (
        "busy", "caching", "dead", "is_queued", "last_done", "name", "nexthop", "resting", "todo", "transport",
        "warn_again", "window",
    )  # fmt: skip

    def __init__(self, transport: Transport, name: str, nexthop: str) -> None:
        self.transport = transport
        self.name = name
        self.nexthop = nexthop
        self.todo: deque[Entry] = deque()
        self.busy = 0
        self.window = Window(transport.rules, name)
        self.dead = ""
        """Why it gets no deliveries for a while: a status code and text; empty when it gets some."""
        self.resting = False
        """A rate delay is running."""
        self.caching = 0
        """What agents hear about keeping connections: CONN_LOAD, CONN_STORE."""
        self.last_done = 0
        """When a delivery ended, in whole seconds of the monotonic clock."""
        self.is_queued = False
        self.warn_again = 0.0
        """When the log may be told again that it fills the active queue, by the loop's clock."""

    def known(self) -> Destination:
        """Return the destination as its transport has it, which may have forgotten this one while it was idle."""
        return self.transport.destination(self.name, self.nexthop)

    @property
    def waiting(self) -> int:
        """Entries for which nobody has been found yet."""
        return len(self.todo)

    def is_free(self) -> bool:
        """Tell whether another delivery may begin now."""
        return self.busy < self.window.size and not self.dead and not self.resting

    def choose_caching(self) -> None:
        """Let agents keep connections as long as one delivery follows the other.

        Once begun it goes on while several are under way: no new connection is made while old ones are kept.
        """
        follows = self.last_done + 1 >= int(monotonic())
        if not self.caching & CONN_STORE:
            if follows:
                self.caching = CONN_LOAD | CONN_STORE
        elif self.busy <= 1 and not follows:
            self.caching &= ~CONN_STORE


class Transport:
    """One delivery service, whose destinations take turns."""

    destination_type = Destination

    def __init__(self, name: str, rules: ConcurrencyRules, recipient_limit: int, rate_delay: int) -> None:
        """*recipient_limit* is the most recipients of one delivery.

        *rate_delay* seconds pass between two to one destination.
        """
        self.name = name
        self.path = f"private/{name}"
        self.rules = rules
        self.recipient_limit = recipient_limit
        self.rate_delay = rate_delay
        self.destinations: dict[str, Destination] = {}
        self.dead = ""
        """Why it cannot be used for a while: a status code and text."""
        self.pause = 0
        """Seconds before each delivery, whatever its destination.  Source: transport_rate_delay."""
        self.resting = False
        """Such a pause is going on."""
        self.rested = False
        """A pause is over, and the delivery that it was for has not begun."""
        self.in_memory = 0
        """Recipients in memory that it is to deliver."""
        self.memory = RecipientMemory()
        self.is_full = False
        """The listen queue of its socket was full a moment ago."""
        self._turns: deque[Destination] = deque()

    def destination(self, name: str, nexthop: str) -> Destination:
        """Return a destination, made when it is new."""
        found = self.destinations.get(name)
        if found is None:
            found = self.destinations[name] = self.destination_type(self, name, nexthop)
        return found

    def add(self, entry: Entry) -> None:
        """Let an entry wait for its destination."""
        destination = entry.destination
        destination.todo.append(entry)
        if not destination.is_queued:
            self.offer(destination)

    def offer(self, destination: Destination) -> None:
        """Give a destination a place among those that take turns, if it can use one."""
        if not destination.is_queued and destination.todo and destination.is_free():
            destination.is_queued = True
            self._turns.append(destination)

    def next_entry(self) -> Entry | None:
        """Take the next entry to deliver, counted as busy; None when no destination is ready."""
        turns = self._turns
        while turns:
            destination = turns.popleft()
            todo = destination.todo
            if todo and destination.is_free():
                entry = todo.popleft()
                destination.busy = busy = destination.busy + 1
                destination.choose_caching()
                if todo and busy < destination.window.size:
                    turns.append(destination)  # Another turn, behind those that wait.
                else:
                    destination.is_queued = False
                return entry
            destination.is_queued = False
        return None

    def take(self, destination: Destination) -> Entry:
        """Take what waits first for a destination, whether it is free or not."""
        return destination.todo.popleft()

    def put_back(self, entry: Entry) -> None:
        """Undo next_entry: the entry could not be given to an agent, and is the next again."""
        destination = entry.destination
        destination.busy -= 1
        destination.todo.appendleft(entry)
        if not destination.is_queued and destination.is_free():
            destination.is_queued = True
            self._turns.appendleft(destination)

    def forget_if_idle(self, destination: Destination) -> None:
        """Drop a destination that has nothing to do and of which nothing has to be remembered."""
        if not destination.waiting and not destination.busy and not destination.dead and not destination.resting:
            self.destinations.pop(destination.name, None)
