"""What every daemon is: a process that master(8) starts, with sockets to serve.

``run`` takes the process from its command line to its exit: options, main.cf, log, privileges,
the event loop, clients, and the conversation with master(8).  Source: master(5), the service
process options of the daemons' manual pages.
"""

from __future__ import annotations

import errno
import gc
import os
import resource
import select
import signal
import socket
import traceback
from _socket import socket as _Socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar

from pyfix.config.dynamicmaps import plugins, uses_plugins
from pyfix.config.errors import ConfigError
from pyfix.config.own_networks import check_interfaces
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Snapshot
from pyfix.config.startup import check_startup
from pyfix.runtime import identity
from pyfix.runtime.calling import check_call, check_caller
from pyfix.runtime.child import FIRST_LISTENER, STATUS, Invocation, MasterStatus, UsageError
from pyfix.runtime.debugger import run_debugger
from pyfix.runtime.jail import take_along
from pyfix.runtime.log import log
from pyfix.runtime.logtarget import configure_log, configure_log_early
from pyfix.runtime.loop import LISTEN, Loop, install
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import spawn
from pyfix.runtime.watchdog import Watchdog

ACCEPT_BURST = 64
"""Clients that are taken in one turn, while other descriptors are ready, too."""
_FIRST_CLIENTS = 1.0
"""Seconds in which a new process meets clients that connected before it was there."""
_FATAL_DELAY = 1.0
_OWN_DESCRIPTORS = 50
"""What a process has open itself, at most: log, tables, sockets of the services that it asks."""
_DESCRIPTORS_A_CLIENT = 3
"""The connection and what is done for it: a message at cleanup(8) and a filter, or a queue file and a mailbox."""
_DESCRIPTORS_PAUSE = 1.0
_GARBAGE_THRESHOLD = 20000


def _places() -> int:
    """Return how many clients the descriptors suffice for that this process may have."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, (soft - _OWN_DESCRIPTORS) // _DESCRIPTORS_A_CLIENT)


class Daemon:
    """A server under master(8).  Subclasses read their settings, and serve."""

    program: ClassVar[str] = ""
    """The name that master.cf and the log use: ``trivial-rewrite``."""
    capacity: int = 1
    """Clients that one process serves at a time; at this number master(8) starts another process."""
    is_whole_service: bool = False
    """The capacity is that of the service: when it is reached, clients wait, and no other process is started."""
    pinned: ClassVar[bool] = False
    """The process stays although it is idle or has served many clients, as qmgr(8) must."""
    process_limit: ClassVar[int | None] = None
    """What master.cf must say: 1 for daemons that must be alone, 0 for those that must not be limited."""
    transports: ClassVar[frozenset[str]] = frozenset(("inet", "unix", "pass"))
    """The types of service that the daemon can be."""
    privileged: ClassVar[bool] = False
    """The daemon needs root (field 4 of master.cf is n), for deliveries with the recipient's rights."""

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Read the settings.  Raises ConfigError, which ends the process with a fatal line."""
        self.invocation = invocation
        self.snapshot = snapshot
        self.mail = MailSettings(snapshot)
        self.capacity = min(self.capacity, _places())
        self.loop: Loop
        self._clients = 0
        self._unfinished = 0
        """Coroutines of see_through that are not at their end."""
        self._leaving = False
        """At the end of this turn the process ends, unless work came with it."""
        self._uses = 0
        self._listeners: list[socket.socket] = []
        self._accepting = False
        self._retiring = False
        self._proven = False
        self.deadline = 0.0

    # What subclasses fill in

    def before_jail(self) -> None:
        """Open, with the rights of root and before chroot, what is needed later."""

    def started(self) -> None:
        """The loop runs, privileges are dropped, no client has come yet."""

    async def serve(self, stream: Stream) -> None:
        """Serve one client; the stream is closed when this returns."""
        raise NotImplementedError  # for the subclass

    def stand_alone(self) -> None:
        """Serve standard input and output instead of sockets (-S), and return.  Raises ConfigError."""
        raise ConfigError(f"{self.program} does not run stand-alone")

    def outdated(self) -> bool:
        """Say, and log, that a table has changed: asked before each client in a jail, as none can be reopened there."""
        return False

    def stopping(self) -> None:
        """No more clients come, none is left and nothing is to be done; the process ends right after this."""

    # Clients

    def _watch_listeners(self) -> None:
        if self._accepting or self._retiring:
            return
        self._accepting = True
        events = self.listen_events()
        for listener in self._listeners:
            accept = self.accepter(listener)
            if self.invocation.chroot:
                accept = self._unless_outdated(accept)
            self.loop.watch(listener.fileno(), events, accept)

    def _unless_outdated(self, accept: Callable[[int], None]) -> Callable[[int], None]:
        def accept_if_current(event: int) -> None:
            if self.outdated():
                self.retire()  # a new process will serve the client
            else:
                accept(event)

        return accept_if_current

    def listen_events(self) -> int:
        """Return the epoll events of listening sockets.

        All processes of a service wake up for a client (EPOLLEXCLUSIVE would wake one only): one that is full, or about
        to end, leaves clients to the others, and nobody would tell them.
        """
        return LISTEN

    def _unwatch_listeners(self) -> None:
        if self._accepting:
            self._accepting = False
            for listener in self._listeners:
                self.loop.unwatch(listener.fileno())

    def accepter(self, listener: socket.socket) -> Callable[[int], None]:
        """Return the handler for events of one listening socket."""

        # What socket.accept() does, less its look at enumerations for each connection, and with the class below
        # socket.socket, whose constructor and close take longer than the system calls.
        take = listener._accept  # type: ignore[attr-defined]  # of the C class, which typing does not show
        family, kind, protocol = int(listener.family), int(listener.type), listener.proto
        make = _Socket
        loop = self.loop
        # Those for whom this process was started were there before it set its listener's options.
        may_be_older = family in (socket.AF_INET, socket.AF_INET6)
        end = loop.now + _FIRST_CLIENTS

        def accept(_event: int) -> None:
            nonlocal may_be_older
            # While other descriptors are ready, too, there are probably more clients.
            for _ in range(ACCEPT_BURST if loop.batching else 1):
                try:
                    descriptor, _address = take()
                except BlockingIOError:
                    return
                except OSError as error:
                    self.not_accepted(error)
                    return
                connection = make(family, kind, protocol, descriptor)
                connection.setblocking(False)
                if may_be_older:
                    may_be_older = loop.now < end
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.admit(connection)
                if not self._accepting:
                    return

        return accept

    def not_accepted(self, error: OSError) -> None:
        """Say why a client can't be taken; without descriptors for clients, leave them to wait a moment."""
        if not isinstance(error, ConnectionError):
            log.error(f"accept connection: {error.strerror}")
        if error.errno in (errno.EMFILE, errno.ENFILE):
            self._unwatch_listeners()
            self.loop.later(_DESCRIPTORS_PAUSE, self._accept_again)

    def _accept_again(self) -> None:
        if self._clients < self.capacity:
            self._watch_listeners()

    def admit(self, connection: _Socket) -> None:
        """Take a connected client and serve it."""
        self.client_began()
        stream = Stream(connection, self.client_timeout())
        spawn(self.serve(stream), _Ending(self, stream))

    def client_timeout(self) -> float:
        """Seconds that a silent internal client is waited for.  Source: postconf(5) ipc_timeout."""
        return self.mail.ipc_timeout

    def client_began(self) -> None:
        """Count a client in."""
        self._clients += 1
        self._uses += 1
        limit = self.max_use()
        if self._clients >= self.capacity or (limit and self._uses >= limit):
            self._unwatch_listeners()
            if not self.is_whole_service or (limit and self._uses >= limit):
                self.status.taken()

    def used_again(self) -> None:
        """Count another use by a client that was counted in already, and retire if there may be no more."""
        self._uses += 1
        limit = self.max_use()
        if limit and self._uses >= limit:
            self.retire()

    def client_ended(self) -> None:
        """Count a client out, and retire or go on listening."""
        self._clients -= 1
        limit = self.max_use()
        if limit and self._uses >= limit:
            self.retire()
            return
        if self._retiring:
            self.retire()
            return
        if not self._accepting and self._clients < self.capacity:
            self.status.available()
            if self.status.gone:
                self.retire()
                return
            self._watch_listeners()
        self.prove()
        if not self._clients:
            self._idle_from_now()

    def prove(self) -> None:
        """Tell master(8), once, that a client was served.

        A process that is killed before it said so counts as one that cannot start, and its service is throttled.
        """
        if not self._proven and self._accepting:
            self._proven = True
            self.status.used()

    def watchdog_seconds(self) -> int:
        """Return how long one turn of the loop may take.  Source: postconf(5) daemon_timeout."""
        return self.mail.daemon_timeout

    def max_use(self) -> int:
        """Clients after which the process retires; a process that serves many at a time may serve more.

        Source: postconf(5) max_use.
        """
        if self.pinned:
            return 0
        return self.mail.max_use * self.capacity

    def _idle_from_now(self) -> None:
        if not self.pinned:
            self.loop.expire_at(self, self.loop.now + self.mail.max_idle)

    def expired(self) -> None:
        """Called by the loop when nobody came for max_idle seconds."""
        if self._clients:
            return
        left = self.deadline - self.loop.now
        if left > 0:
            self.loop.expire_at(self, self.deadline)
        else:
            self.retire()

    def retire(self) -> None:
        """Take no more clients; end when those that are here are served, and what they left to do is done."""
        self._unwatch_listeners()
        self._retiring = True
        if self._is_busy():
            self.status.taken()
        elif not self._leaving:
            # A request that was read in this turn may not have become a client yet.
            self._leaving = True
            self.loop.at_turn_end(self._leave)

    def _is_busy(self) -> bool:
        return self._clients > 0 or self._unfinished > 0

    def _leave(self) -> None:
        self._leaving = False
        if not self._is_busy():
            self.stopping()
            self.loop.stop_turning()

    def see_through(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run a coroutine that no client waits for, and do not end the process before it; a bug in it is logged."""
        self._unfinished += 1
        spawn(coroutine, self._seen_through)

    def _seen_through(self, error: BaseException | None) -> None:
        self._unfinished -= 1
        if error is not None:
            report_bug(error)
        if self._retiring:
            self.retire()

    # The process

    def start(self) -> None:
        """Make the loop and serve until it is time to go."""
        loop = self.loop = install()
        loop.on_error(report_bug)
        log.wait_with(self._wait_writable)
        log.gather_with(loop.at_turn_end)
        self.status = MasterStatus(self.invocation.generation)
        loop.watch(STATUS, select.EPOLLIN, self._master_gone)
        for fd in range(FIRST_LISTENER, FIRST_LISTENER + self.invocation.listeners):
            os.set_inheritable(fd, False)
            os.set_blocking(fd, False)
            self._listeners.append(self.listener(fd))
        self.started()
        self._watch_listeners()
        self._idle_from_now()
        Watchdog(self.watchdog_seconds(), loop).start()
        # What lives now lives as long as the process: no collection needs to look at it again.
        gc.freeze()
        gc.set_threshold(_GARBAGE_THRESHOLD, 20, 100)
        loop.turn()
        log.finish()

    def listener(self, fd: int) -> socket.socket:
        """Wrap one descriptor that master(8) listens on."""
        listener = socket.socket(fileno=fd)
        if listener.family in (socket.AF_INET, socket.AF_INET6):
            # Inherited by what it accepts: a reply must not wait for the acknowledgement of the one before.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener

    def _master_gone(self, _event: int) -> None:
        self.loop.unwatch(STATUS)
        self.retire()

    def _wait_writable(self, sender: _Socket, send: Callable[[], bool]) -> None:
        fd = sender.fileno()

        def writable(_event: int) -> None:
            if send():
                self.loop.unwatch(fd)

        self.loop.unwatch(fd)
        self.loop.watch(fd, select.EPOLLOUT, writable)


class _Ending:
    """Closes a client's stream when its coroutine ends, and reports what it raised."""

    __slots__ = ("_daemon", "_stream")

    def __init__(self, daemon: Daemon, stream: Stream) -> None:
        self._daemon = daemon
        self._stream = stream

    def __call__(self, error: BaseException | None) -> None:
        self._stream.close()
        if error is not None and not isinstance(error, (StreamClosed, StreamTimeout)):
            report_bug(error)
        self._daemon.client_ended()


def report_bug(error: BaseException) -> None:
    """Log an exception that nobody expected, with its traceback; the process goes on."""
    if isinstance(error, Exception):
        for line in "".join(traceback.format_exception(error)).splitlines():
            log.error(line)
    else:
        raise error


def background(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine that nobody waits for, nor does the end of the process (see_through); a bug in it is logged."""
    spawn(coroutine, lambda error: report_bug(error) if error is not None else None)


def run(daemon: type[Daemon], argv: Sequence[str]) -> int:
    """Run a daemon that was started by exec, under Postfix's master(8) or ours; return the exit status."""
    try:
        invocation = Invocation.parse(daemon.program, argv)
    except UsageError as error:
        configure_log_early(daemon.program, to_stderr=error.log_to_stderr)
        log.fatal(str(error))
        log.finish(_FATAL_DELAY)
        return 1
    return run_invocation(daemon, invocation)


def run_invocation(daemon: type[Daemon], invocation: Invocation) -> int:
    """Run a daemon whose command line has been read; return the exit status."""
    os.umask(0o077)
    log.tag = f"postfix/{daemon.program}"
    log.verbosity = invocation.verbosity
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    try:
        snapshot = Snapshot.read(
            overrides=invocation.overrides, process_name=daemon.program, service_name=invocation.service
        )
        settings = MailSettings(snapshot)
        configure_log(snapshot, daemon.program, to_stderr=invocation.log_to_stderr)
        for warning in snapshot.warnings:
            log.warning(warning)
        check_startup(settings)
        check_interfaces(snapshot)
        if uses_plugins(snapshot):
            plugins(snapshot, log.warning)
        if invocation.debug:
            run_debugger(snapshot)
        if not invocation.stand_alone:
            check_caller(invocation)
        else:
            log.to_stderr(invocation.log_to_stderr, short=False)
        os.chdir(settings.queue_directory)
        server = daemon(invocation, snapshot)
        if not invocation.stand_alone:
            check_call(
                invocation,
                process_limit=daemon.process_limit,
                privileged=daemon.privileged,
                transports=daemon.transports,
            )
            log.to_stderr(invocation.log_to_stderr, short=False)
        server.before_jail()
        if invocation.chroot:
            take_along(daemon.__module__.rpartition(".")[0])
        owner = identity.mail_owner(settings.mail_owner)
        if invocation.unprivileged:
            identity.drop_privileges(owner, settings.queue_directory if invocation.chroot else None)
        else:
            identity.act_as(owner)
        if invocation.stand_alone:
            server.stand_alone()
        else:
            server.start()
    except ConfigError as error:
        for warning in error.warnings:
            log.warning(warning)
        log.fatal(str(error))
        log.finish(_FATAL_DELAY)
        return 1
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else 1
    except Exception as error:
        report_bug(error)
        log.finish(_FATAL_DELAY)
        return 1
    return 0
