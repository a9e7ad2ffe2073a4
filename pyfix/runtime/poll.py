"""A plain epoll loop, without coroutines and without Twisted, for commands that hold many connections at once.

Everything is level-triggered: what a callback leaves in the socket comes again.
"""

from __future__ import annotations

import heapq
import select
import time
from itertools import count

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable

    Watcher = Callable[[int], None]
    """Gets the events of epoll_wait(2)."""

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
_MOST_AT_ONCE = 256


class Poll:
    """Calls what waits for descriptors and for times."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watchers: dict[int, Watcher] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()
        self._number = count()
        self.stopped = False
        """Whether run() has returned, or will when what is being called returns."""

    def watch(self, fd: int, watcher: Watcher, events: int = READ) -> None:
        """Call *watcher* when one of *events* comes, or the peer hangs up."""
        self._watchers[fd] = watcher
        self._epoll.register(fd, events)

    def rewatch(self, fd: int, events: int) -> None:
        """Wait for other events, unless nobody is to be called."""
        if fd in self._watchers:
            self._epoll.modify(fd, events)

    def forget(self, fd: int) -> None:
        """Call nobody for *fd* any more; to be done before it is closed."""
        if self._watchers.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def later(self, seconds: float, act: Callable[[], None]) -> int:
        """Call *act* after *seconds*; return what cancels it."""
        number = next(self._number)
        heapq.heappush(self._timers, (time.monotonic() + seconds, number, act))
        return number

    def cancel(self, number: int) -> None:
        """Don't call what ``later`` returned *number* for; once, and only while it has not been called."""
        self._cancelled.add(number)

    def stop(self) -> None:
        """Return from run() when what is being called returns."""
        self.stopped = True

    def run(self) -> None:
        """Call what is due, until stop() or until nothing can come any more."""
        wait, find, timers = self._epoll.poll, self._watchers.get, self._timers
        while not self.stopped and (self._watchers or timers):
            for fd, events in wait(max(timers[0][0] - time.monotonic(), 0.0) if timers else None, _MOST_AT_ONCE):
                watcher = find(fd)  # None when another has closed it in this turn
                if watcher is not None:
                    watcher(events)
                    if self.stopped:
                        return
            if timers:
                self._call_due(time.monotonic())

    def _call_due(self, now: float) -> None:
        timers = self._timers
        while timers and timers[0][0] <= now and not self.stopped:
            _, number, act = heapq.heappop(timers)
            if number in self._cancelled:
                self._cancelled.discard(number)
            else:
                act()
