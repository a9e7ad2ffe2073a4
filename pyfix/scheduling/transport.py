"""Transports and their destinations: who is delivered to next.

A transport is a service of master.cf, a destination one nexthop of it.  Destinations take turns; each has a window
of deliveries at a time.  What is dead waits until its time is over.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from pyfix.scheduling.feedback import ConcurrencyRules, Window

if TYPE_CHECKING:
    from pyfix.scheduling.message import Entry


class Destination:
    """One nexthop of a transport: the entries that wait for it, and what is known of it."""

    __slots__ = ("busy", "dead", "is_queued", "name", "nexthop", "resting", "todo", "transport", "warn_again", "window")

    def __init__(self, transport: Transport, name: str, nexthop: str) -> None:
        self.transport = transport
        self.name = name
        self.nexthop = nexthop
        self.todo: deque[Entry] = deque()
        self.busy = 0
        self.window = Window(transport.rules)
        self.dead = ""
        """Why it gets no deliveries for a while: a status code and text; empty when it gets some."""
        self.resting = False
        """A rate delay is running."""
        self.is_queued = False
        self.warn_again = 0.0
        """When the log may be told again that it fills the active queue, by the loop's clock."""

    def is_ready(self) -> bool:
        """Tell whether a delivery can begin now."""
        return bool(self.todo) and self.busy < self.window.size and not self.dead and not self.resting


class Transport:
    """One delivery service."""

    def __init__(self, name: str, rules: ConcurrencyRules, recipient_limit: int, rate_delay: int) -> None:
        """*recipient_limit* is the most recipients of one delivery; *rate_delay* seconds pass between deliveries."""
        self.name = name
        self.path = f"private/{name}"
        self.rules = rules
        self.recipient_limit = 1 if rate_delay > 0 else recipient_limit
        self.rate_delay = rate_delay
        self.destinations: dict[str, Destination] = {}
        self.dead = ""
        """Why it cannot be used for a while: a status code and text."""
        self.is_full = False
        """The listen queue of its socket was full a moment ago."""
        self._turns: deque[Destination] = deque()

    def destination(self, name: str, nexthop: str) -> Destination:
        """Return a destination, made when it is new."""
        found = self.destinations.get(name)
        if found is None:
            found = self.destinations[name] = Destination(self, name, nexthop)
        return found

    def add(self, entry: Entry) -> None:
        """Let an entry wait for its destination."""
        destination = entry.destination
        destination.todo.append(entry)
        if not destination.is_queued:
            self.offer(destination)

    def offer(self, destination: Destination) -> None:
        """Give a destination a place among those that take turns, if it can use one."""
        if not destination.is_queued and destination.is_ready():
            destination.is_queued = True
            self._turns.append(destination)

    def next_entry(self) -> Entry | None:
        """Take the next entry to deliver, counted as busy; None when no destination is ready."""
        turns = self._turns
        while turns:
            destination = turns.popleft()
            if destination.is_ready():
                todo = destination.todo
                entry = todo.popleft()
                destination.busy = busy = destination.busy + 1
                if todo and busy < destination.window.size:
                    turns.append(destination)  # Another turn, behind those that wait.
                else:
                    destination.is_queued = False
                return entry
            destination.is_queued = False
        return None

    def put_back(self, entry: Entry) -> None:
        """Undo next_entry: the entry could not be given to an agent."""
        destination = entry.destination
        destination.busy -= 1
        destination.todo.appendleft(entry)
        self.offer(destination)

    def forget_if_idle(self, destination: Destination) -> None:
        """Drop a destination that has nothing to do and of which nothing has to be remembered."""
        if not destination.todo and not destination.busy and not destination.dead and not destination.resting:
            self.destinations.pop(destination.name, None)
