"""The event loop: Twisted's epoll reactor with a short way for our own descriptors.

Descriptors that we watch ourselves are edge-triggered and their handlers are called directly;
whatever Twisted watches (TLS, DNS, threads) goes on working beside them.  The loop is made
after the fork, never before.
"""

from __future__ import annotations

import select
import sys
from collections import deque
from collections.abc import Callable, Mapping
from inspect import iscoroutine
from time import monotonic, time
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Protocol


def _stand_in(name: str, **contents: object) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(contents)
    return module


# Twisted's TCP transports and compatibility layer would bring OpenSSL, cryptography, ssl and an HTTP client along,
# 13 MB in the fork server, for a startTLS and for cookies that nobody uses: our streams are not its transports.
# So would its Deferreds bring another event loop, 2 MB and 15 ms of the start, for conversions from and to its futures.
_UNUSED: Final[Mapping[str, ModuleType | None]] = {
    "OpenSSL": None,  # makes its import fail
    "ssl": None,
    "http": _stand_in("http", cookiejar=None),
    "http.cookiejar": None,
    "html": _stand_in("html", escape=None),
    "asyncio": _stand_in("asyncio", AbstractEventLoop=object, Future=object, iscoroutine=iscoroutine),
}
_hidden = [name for name in _UNUSED if name not in sys.modules]
for _name in _hidden:
    sys.modules[_name] = _UNUSED[_name]  # type: ignore[assignment]  # None is allowed
try:
    from twisted.internet import epollreactor
    from twisted.internet.main import installReactor
finally:
    for _name in _hidden:
        del sys.modules[_name]

if TYPE_CHECKING:
    from twisted.internet.base import DelayedCall

READ_EDGE = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
WRITE_EDGE = READ_EDGE | select.EPOLLOUT
LISTEN = select.EPOLLIN

_MOST_EVENTS = 256
_MOST_LUCK = 8
_SLEEPS = -16


class Expiring(Protocol):
    """What has a deadline: see Loop.expire_at."""

    deadline: float

    def expired(self) -> None:
        """The deadline (seconds of the monotonic clock) is over."""


class Loop(epollreactor.EPollReactor):
    """One process's event loop."""

    def __init__(self) -> None:
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._soon: deque[Callable[[], None]] = deque()
        self._turn_end: list[Callable[[], None]] = []
        self.arrived: list[Callable[[], None]] = []
        """What is called when all descriptors that are ready now have been read.

        What is done with input is done together, and so are reading and sending: a processor that goes from one
        session's system calls to its Python code and back for each of many sessions does both from cold caches.
        """
        self.leaving: list[Callable[[], None]] = []
        """What is called when all input of this turn has been acted on: the place for sending."""
        self._expiring: set[Expiring] = set()
        self._next_sweep = float("inf")
        self._on_error: Callable[[BaseException], None] = _raise
        self.now = monotonic()
        self.batching = False
        """Several descriptors are ready in this turn."""
        self.patience = 0.0
        """Seconds to look for events again and again before the process sleeps: one that is waked up for each line of a
        dialogue spends as much time on that as on its work.  For a process with a single client."""
        self._luck = 0
        """How often, lately, something came in that time; below 0: so many more sleeps without it."""
        self._stopping = False
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's

    # Descriptors

    def watch(self, fd: int, events: int, handler: Callable[[int], None]) -> None:
        """Call *handler* with the epoll events of *fd* until unwatch."""
        self._handlers[fd] = handler
        self._poller.register(fd, events)

    def rewatch(self, fd: int, events: int) -> None:
        """Change the events of a watched descriptor."""
        self._poller.modify(fd, events)

    def unwatch(self, fd: int) -> None:
        """Forget a descriptor that stays open."""
        if self._handlers.pop(fd, None) is not None:
            self._poller.unregister(fd)

    def forget(self, fd: int) -> None:
        """Forget a descriptor that is closed right after this; the kernel drops its events itself."""
        self._handlers.pop(fd, None)

    # Deferred work

    def soon(self, call: Callable[[], None]) -> None:
        """Call *call* in this turn of the loop, after the handler that runs now."""
        self._soon.append(call)

    def at_turn_end(self, call: Callable[[], None]) -> None:
        """Call *call* once when all events that are ready now have been handled: the place for batches."""
        self._turn_end.append(call)

    def first_at_turn_end(self, call: Callable[[], None]) -> None:
        """Call *call* before all others that wait for the end of the turn: somebody waits for it."""
        self._turn_end.insert(0, call)

    def later(self, seconds: float, call: Callable[..., Any], *arguments: Any) -> DelayedCall:
        """Call *call* after *seconds*; the result has cancel() and active()."""
        return self.callLater(seconds, call, *arguments)

    # Deadlines: cheap to move, as every read of every session does

    def expire_at(self, what: Expiring, deadline: float) -> None:
        """Let *what*.expired() be called at *deadline*, unless its deadline attribute has moved by then."""
        what.deadline = deadline
        self._expiring.add(what)
        self._next_sweep = min(self._next_sweep, deadline)

    def expire_never(self, what: Expiring) -> None:
        """Withdraw a deadline for good."""
        self._expiring.discard(what)

    def _sweep(self) -> None:
        now = self.now
        due = [what for what in self._expiring if what.deadline <= now]
        self._expiring.difference_update(due)
        self._next_sweep = min((what.deadline for what in self._expiring), default=float("inf"))
        for what in due:
            self._guarded(what.expired)

    # Turning

    def on_error(self, report: Callable[[BaseException], None]) -> None:
        """Give the place where the exceptions of handlers go."""
        self._on_error = report

    def doPoll(self, timeout: float | None) -> None:
        """Wait for events for *timeout* seconds at most (None: without limit) and handle them."""
        wait = -1.0 if timeout is None else timeout
        if self._soon or self._turn_end or self.leaving or self.arrived or self._stopping:
            wait = 0.0
        elif self._next_sweep != float("inf"):
            left = max(self._next_sweep - monotonic(), 0.0)
            wait = left if wait < 0 else min(wait, left)
        try:
            events = self._poller.poll(wait, _MOST_EVENTS) if not self.patience or not wait else self._look_out(wait)
        except InterruptedError:
            return
        self.now = monotonic()
        self.batching = len(events) > 1
        handlers = self._handlers
        for fd, event in events:
            handler = handlers.get(fd)
            if handler is not None:
                try:
                    handler(event)
                except Exception as error:
                    self._on_error(error)
            else:
                selectable = self._selectables.get(fd)
                if selectable is not None:
                    self._doReadOrWrite(selectable, fd, event)  # type: ignore[no-untyped-call]  # Twisted's
        self._act()
        if self._turn_end:
            calls, self._turn_end = self._turn_end, []
            for call in calls:
                self._guarded(call)
            self._act()
        if self._next_sweep <= self.now:
            self._sweep()
            self._act()

    doIteration = doPoll

    def _look_out(self, wait: float) -> list[tuple[int, int]]:
        """Return the events of the next moment, else sleep; where peers are slow, sleep at once nearly always."""
        poll: Callable[[float, int], list[tuple[int, int]]] = self._poller.poll
        if self._luck < 0:
            self._luck += 1
        else:
            end = monotonic() + self.patience
            while monotonic() < end:
                events = poll(0, _MOST_EVENTS)
                if events:
                    self._luck = min(self._luck + 1, _MOST_LUCK)
                    return events
            self._luck = self._luck - 2 if self._luck > 2 else _SLEEPS
        return poll(wait, _MOST_EVENTS)

    def _act(self) -> None:
        """Act on what was read, then send what came of it."""
        while self.arrived or self._soon or self.leaving:
            calls, self.arrived = self.arrived, []
            for call in calls:
                try:
                    call()
                except Exception as error:
                    self._on_error(error)
            soon = self._soon
            while soon:
                self._guarded(soon.popleft())
            calls, self.leaving = self.leaving, []
            for call in calls:
                try:
                    call()
                except Exception as error:
                    self._on_error(error)

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            self._on_error(error)

    def mainLoop(self) -> None:
        """Turn until stop_turning, and until nothing is left that waits for the end of a turn.

        Twisted's own bookkeeping is only called when there is something for it to do.
        """
        while not self._stopping or self._turn_end or self._soon or self.arrived or self.leaving:
            wait: float | None = None
            if self.threadCallQueue or self._newTimedCalls:
                self.runUntilCurrent()
                wait = self.timeout()
            elif self._pendingTimedCalls:
                wait = self._pendingTimedCalls[0].time - time()
                if wait <= 0:
                    self.runUntilCurrent()
                    wait = self.timeout()
            self.doPoll(wait)

    def turn(self) -> None:
        """Run until stop_turning is called; Twisted's start-up and thread hooks included."""
        self.run(installSignalHandlers=False)

    def stop_turning(self) -> None:
        """Return from turn() after this turn, and what it has put off to the end of the next."""
        self._stopping = True


def _raise(error: BaseException) -> None:
    raise error


_current: Loop | None = None


def install() -> Loop:
    """Make this process's loop.  To be called once, after the last fork."""
    global _current
    _current = Loop()
    installReactor(_current)  # type: ignore[no-untyped-call]  # Twisted's
    return _current


def current() -> Loop:
    """Return this process's loop.  Raises RuntimeError before install()."""
    if _current is None:
        raise RuntimeError("the event loop is made after the fork, by install()")
    return _current
