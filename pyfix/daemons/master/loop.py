"""The event loop of master: descriptors, timers and signals, with nothing of Twisted.

master is the fork server of the other daemons, so it may hold nothing that a child would have to share or undo;
everything here is plain descriptors that a child closes in one call.
"""

from __future__ import annotations

import heapq
import os
import select
import signal
from collections.abc import Callable
from itertools import count
from time import monotonic

_MOST_EVENTS = 100


class Timer:
    """A call that is due at a moment, unless it is cancelled before."""

    __slots__ = ("call", "due")

    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due = due
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Forget the call."""
        self.call = None


class MasterLoop:
    """Calls back when a descriptor is ready, a time has come or a signal has arrived."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._calls: dict[int, Callable[[], None]] = {}
        self._new: set[int] = set()
        """Descriptors that are watched since this turn began: its events are not about them."""
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._signals: dict[int, Callable[[], None]] = {}
        self._signal_read, self._signal_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stopped = False
        self.watch(self._signal_read, self._signalled)

    @property
    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return monotonic()

    # Descriptors

    def watch(self, fd: int, call: Callable[[], None], *, writable: bool = False) -> None:
        """Call *call* whenever *fd* can be read (or written to) until unwatch."""
        events = select.EPOLLOUT if writable else select.EPOLLIN
        self._calls[fd] = call
        self._new.add(fd)
        try:
            self._epoll.register(fd, events)
        except FileExistsError:
            self._epoll.modify(fd, events)

    def unwatch(self, fd: int) -> None:
        """Forget a descriptor; one that is closed already has left epoll by itself."""
        if self._calls.pop(fd, None) is not None:
            try:
                self._epoll.unregister(fd)
            except OSError:
                pass

    # Timers

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call *call* once, after *seconds*."""
        timer = Timer(self.now + seconds, call)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        return timer

    def _run_timers(self) -> float:
        """Make the calls that are due; return the seconds until the next one, -1 without any."""
        timers = self._timers
        while timers:
            due, _order, timer = timers[0]
            if timer.call is None:
                heapq.heappop(timers)
                continue
            wait = due - self.now
            if wait > 0:
                return wait
            heapq.heappop(timers)
            call, timer.call = timer.call, None
            call()
        return -1

    # Signals

    def on_signal(self, number: int, call: Callable[[], None]) -> None:
        """Call *call* from the loop after signal *number* has arrived, once for several that came together."""
        if not self._signals:
            signal.set_wakeup_fd(self._signal_write, warn_on_full_buffer=False)
        self._signals[number] = call
        signal.signal(number, _woken)
        signal.siginterrupt(number, False)

    def _signalled(self) -> None:
        try:
            numbers = os.read(self._signal_read, 4096)
        except BlockingIOError:
            return
        for number in dict.fromkeys(numbers):
            call = self._signals.get(number)
            if call is not None:
                call()

    # Turning

    def turn(self, at_most: float = -1) -> None:
        """Wait for what comes next, *at_most* seconds unless that is negative, and handle it."""
        wait = self._run_timers()
        if self._stopped:
            return
        if at_most >= 0 and not 0 <= wait < at_most:
            wait = at_most
        events = self._epoll.poll(wait, _MOST_EVENTS)
        self._new.clear()
        for fd, _events in events:
            # An earlier call of this turn may have unwatched it, and its number may be another descriptor's by now.
            call = self._calls.get(fd)
            if call is not None and fd not in self._new:
                call()

    def run(self) -> None:
        """Turn until stop is called."""
        while not self._stopped:
            self.turn()

    def stop(self) -> None:
        """Let run return."""
        self._stopped = True

    def abandon(self) -> None:
        """Give up the loop's descriptors, in a child that has no use for them.

        The epoll object would else close, when it is collected, a number that means something else by then.
        """
        signal.set_wakeup_fd(-1)
        for number in self._signals:
            signal.signal(number, signal.SIG_DFL)
        self._epoll.close()


def _woken(_number: int, _frame: object) -> None:
    """Do nothing: the wakeup descriptor has told the loop."""
