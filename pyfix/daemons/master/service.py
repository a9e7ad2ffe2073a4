"""One service while master runs: its sockets, its processes, and when it needs another one."""

from __future__ import annotations

import os
import socket
import struct
from typing import Protocol

from pyfix.daemons.master.definition import Definition
from pyfix.daemons.master.loop import MasterLoop, Timer
from pyfix.daemons.master.wakeup import wake
from pyfix.runtime.log import log

_STATUS = struct.Struct("=iIi")
_MOST_STATUS = 64 * _STATUS.size
_TAKEN, _AVAILABLE = 0, 1
_STRESS_TIME = 1000.0
"""Seconds for which new processes are told of stress after the process limit was reached."""


class Child:
    """A process of a service."""

    __slots__ = ("available", "forked", "generation", "pid", "service", "started", "uses")

    def __init__(self, service: Service, pid: int, generation: int, started: float, *, forked: bool) -> None:
        self.service = service
        self.pid = pid
        self.generation = generation
        self.started = started
        self.forked = forked
        """Whether it is a fork of master itself, not another program."""
        self.available = True
        self.uses = 0
        """How often it has become available again."""


class Crew(Protocol):
    """What a service needs of master."""

    loop: MasterLoop

    @property
    def throttle_time(self) -> int:
        """Seconds.  Source: postconf(5) service_throttle_time."""

    def start(self, service: Service) -> Child:
        """Start a process of *service*.  Raises OSError when there can be no process now."""


class Service:
    """A service that master listens for."""

    def __init__(self, definition: Definition, crew: Crew, listeners: tuple[int, ...]) -> None:
        self.definition = definition
        self.listeners = listeners
        """Descriptors of the endpoint."""
        self.children: dict[int, Child] = {}
        self.available = 0
        """Processes that wait for clients now."""
        self.status_read = self.status_write = -1
        """The two ends of the channel on which the processes say whether they take clients."""
        self._crew = crew
        self._loop = crew.loop
        self._listening = False
        self._throttle: Timer | None = None
        self._wakeup: Timer | None = None
        self._stress_until = 0.0
        self._closed = False

    # Life of the service

    def open(self) -> None:
        """Begin to serve: listen, and wake the service at once if it wants to be woken."""
        self._open_status()
        self._update()
        if self.definition.entry.wakeup and not self.definition.entry.wakeup_conditional:
            self._wake()

    def reload(self, definition: Definition) -> None:
        """Take a new definition of the same service; present processes end at their convenience."""
        self.definition = definition
        self._cancel_timers()
        self._renew_status()
        self._update()
        if definition.entry.wakeup and not definition.entry.wakeup_conditional:
            self._wake()

    def close(self) -> None:
        """Stop serving: master.cf does not have the service any more.  The caller ends its processes."""
        self._closed = True
        self._cancel_timers()
        self._update()
        self._close_status()
        for fd in self.listeners:
            os.close(fd)
        self.listeners = ()

    def _cancel_timers(self) -> None:
        for timer in (self._throttle, self._wakeup):
            if timer is not None:
                timer.cancel()
        self._throttle = self._wakeup = None

    # The status channel

    def _open_status(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # master waits for nobody
        self.status_read, self.status_write = ours.detach(), theirs.detach()
        self._loop.watch(self.status_read, self._read_status)

    def _close_status(self) -> None:
        self._loop.unwatch(self.status_read)
        os.close(self.status_read)
        os.close(self.status_write)

    def _renew_status(self) -> None:
        """Let the present processes see that their channel has ended: they serve their clients and go."""
        self._close_status()
        self._open_status()
        self.available = 0
        for child in self.children.values():
            child.available = False

    def _read_status(self) -> None:
        try:
            records = os.read(self.status_read, _MOST_STATUS)
        except BlockingIOError:
            return
        whole = len(records) - len(records) % _STATUS.size
        for pid, generation, state in _STATUS.iter_unpack(records[:whole]):
            self._take_status(pid, generation, state)
        if whole != len(records):
            name, endpoint = self.definition.entry.name, self.definition.endpoint
            log.warning(f"service {name}({endpoint}): partial status update ({len(records) - whole} bytes)")
        self._update()

    def _take_status(self, pid: int, generation: int, state: int) -> None:
        child = self.children.get(pid)
        if child is None:
            return
        if child.generation != generation:
            log.info(f"ignoring status update from child pid {pid} generation {generation}")
        elif state == _AVAILABLE:
            child.uses += 1
            if not child.available:
                child.available = True
                self.available += 1
        elif state == _TAKEN:
            if child.available:
                child.available = False
                self.available -= 1
        else:
            log.warning(f"master_status_event: ignoring unknown status: {state} allegedly from pid: {pid}")

    # Processes

    @property
    def stress(self) -> str:
        """``yes`` while the service is, or lately was, at its process limit; else nothing."""
        return "yes" if self._loop.now < self._stress_until else ""

    def _at_limit(self) -> bool:
        limit = self.definition.process_limit
        return limit > 0 and len(self.children) >= limit

    def _update(self) -> None:
        """Watch the endpoint exactly when a client needs, and may have, a new process."""
        wanted = not (self._closed or self._throttle or self.available > 0 or self._at_limit())
        if wanted == self._listening:
            return
        self._listening = wanted
        for fd in self.listeners:
            if wanted:
                self._loop.watch(fd, self._client_waits)
            else:
                self._loop.unwatch(fd)

    def _client_waits(self) -> None:
        if not self._listening:
            return
        if self.definition.knows_stress and len(self.children) + 1 >= self.definition.process_limit:
            self._note_stress()
        try:
            child = self._crew.start(self)
        except OSError as error:
            log.warning(f"master_spawn: fork: {error.strerror} -- throttling")
            self._begin_throttle()
            return
        self.children[child.pid] = child
        self.available += 1
        if self.definition.entry.wakeup_conditional and self._wakeup is None and self.definition.entry.wakeup:
            log.debug(f"start conditional timer for {self.definition.entry.name}")
            self._wakeup = self._loop.later(self.definition.entry.wakeup, self._wake)
        self._update()

    def _note_stress(self) -> None:
        """The last process that the limit allows is about to start: say so, and let the others be replaced in time.

        Source: STRESS_README.
        """
        now = self._loop.now
        is_new = now >= self._stress_until
        self._stress_until = now + _STRESS_TIME
        if is_new:
            entry = self.definition.entry
            log.warning(
                f'service "{entry.name}" ({self.definition.endpoint}) has reached its process limit '
                f'"{self.definition.process_limit}": new clients may experience noticeable delays'
            )
            log.warning(
                "to avoid this condition, increase the process count in master.cf or reduce the service time per client"
            )
            log.warning(
                "see https://www.postfix.org/STRESS_README.html for examples of stress-adapting configuration settings"
            )
            self._renew_status()

    def ended(self, child: Child, *, failed: bool) -> None:
        """A process has ended; one that *failed* before it was of use makes the service wait for a while."""
        del self.children[child.pid]
        if child.available:
            self.available -= 1
        if failed and not self._closed:
            log.warning(f"{self.definition.program}: bad command startup -- throttling")
            self._begin_throttle()
        self._update()

    def _begin_throttle(self) -> None:
        if self._throttle is None:
            self._throttle = self._loop.later(self._crew.throttle_time, self._end_throttle)
        self._update()

    def _end_throttle(self) -> None:
        log.debug(f"throttle released for command {self.definition.program}")
        self._throttle = None
        self._update()

    # Waking

    def _wake(self) -> None:
        self._wakeup = self._loop.later(self.definition.entry.wakeup, self._wake)
        if self._throttle is not None:
            return
        try:
            wake(self.definition)
        except OSError as error:
            name, endpoint = self.definition.entry.name, self.definition.endpoint
            log.warning(f"master_wakeup_timer_event: service {name}({endpoint}): {error.strerror}")
