"""All services together: reading the configuration, starting and reaping processes, reload and end."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import termios
import time
from _socket import socket as _Socket
from collections.abc import Callable

from pyfix.config.errors import ConfigError
from pyfix.config.master_cf import ServiceEntry, read_master_cf
from pyfix.config.own_networks import address_families
from pyfix.config.parameters.master import MasterSettings
from pyfix.config.snapshot import Snapshot
from pyfix.config.startup import check_startup
from pyfix.daemons.master.definition import Definition, Key, define, is_disabled
from pyfix.daemons.master.endpoint import Interfaces
from pyfix.daemons.master.loop import MasterLoop
from pyfix.daemons.master.options import Options
from pyfix.daemons.master.programs import Programs
from pyfix.daemons.master.service import Child, Service
from pyfix.daemons.master.spawn import Plan, spawn
from pyfix.daemons.master.title import TitleArea
from pyfix.runtime.identity import mail_owner
from pyfix.runtime.log import log
from pyfix.runtime.logtarget import configure_log
from pyfix.runtime.servicemanager import ServiceManager

PROGRAM = "master"
_FATAL_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
_KEPT_PARAMETERS = ("queue_directory", "inet_protocols")
"""What a reload can't change."""
_NEEDED_BY_OTHERS = frozenset(
    ("anvil", "bounce", "cleanup", "flush", "postlogd", "proxymap", "scache", "tlsmgr", "trivial-rewrite", "verify")
)
"""Programs that do nothing of their own accord, but that sessions and deliveries ask."""
_ENDED_BY_OTHERS = (signal.SIGKILL, signal.SIGTERM)
_STARTUP_TIME = 10.0
"""Seconds after which a failing process of ours, of whose use we know nothing, has not failed at its start."""
_LAST_WORDS_TIME = 0.2
_WATCHDOG_TIME = 1000
"""Seconds that one turn of the loop may take before master gives up."""


class Master:
    """The running mail system."""

    def __init__(
        self,
        options: Options,
        settings: MasterSettings,
        interfaces: Interfaces,
        title: TitleArea,
        manager: ServiceManager,
    ) -> None:
        """Take over; nothing is open yet.  Raises ConfigError."""
        self.loop = MasterLoop()
        self._options = options
        self._settings = settings
        self._interfaces = interfaces
        self._title = title
        self._manager = manager
        self._owner = mail_owner(settings.mail_owner)
        self._services: dict[Key, Service] = {}
        self._children: dict[int, Child] = {}
        self._programs = Programs()
        self._generation = 0
        self._flow = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        log.wait_with(self._wait_for_logger)
        self._kept = {name: settings.snapshot.value(name) for name in _KEPT_PARAMETERS}
        self._draining: set[int] = set()
        """Processes that finish their work before the end."""
        self._drained_by = 0
        self._take_signals()

    def _take_signals(self) -> None:
        """Let signals wait for the loop: none is lost that comes while we start, or as soon as we said that we run."""
        self.loop.on_signal(signal.SIGCHLD, self.reap)
        self.loop.on_signal(signal.SIGHUP, self._reload_or_die)
        for number in _FATAL_SIGNALS:
            self.loop.on_signal(number, lambda number=number: self.terminate(number))  # type: ignore[misc]  # a lambda's default has no type of its own

    @property
    def throttle_time(self) -> int:
        """Seconds.  Source: postconf(5) service_throttle_time."""
        return self._settings.service_throttle_time

    def _wait_for_logger(self, sender: _Socket, send: Callable[[], bool]) -> None:
        """Send the lines that wait when the logger, which we have to start ourselves, reads again."""
        fd = sender.fileno()

        def writable() -> None:
            if send():
                self.loop.unwatch(fd)

        self.loop.watch(fd, writable, writable=True)

    # Configuration

    def configure(self) -> None:
        """Read master.cf; open what is new, renew what was there, end what is gone.  Raises ConfigError."""
        path = os.path.join(self._settings.snapshot.config_directory, "master.cf")
        definitions = self._definitions(path)
        for key in [key for key in self._services if key not in definitions]:
            self._end_service(self._services.pop(key))
        opened = []
        for key, definition in definitions.items():
            present = self._services.get(key)
            if present is not None:
                present.reload(definition)
            else:
                service = Service(definition, self, definition.listen(self._owner, self._settings.tcp_windowsize))
                self._services[key] = service
                opened.append(service)
        self._programs.reset()
        for definition in definitions.values():
            self._programs.module(definition.program)
        for service in opened:
            service.open()
        jails = any(definition.entry.chroot for definition in definitions.values())
        self._programs.freeze(self._settings.snapshot, jails=jails)

    def _definitions(self, path: str) -> dict[Key, Definition]:
        settings = self._settings
        notices: list[str] = []
        low_level = settings.snapshot.expand("${{$compatibility_level} <level {1} ? {yes} : {no}}") == "yes"
        entries = read_master_cf(path, warn=notices.append, compatibility_chroot=low_level)
        for notice in notices:
            log.warning(notice)
        if not any(address_families(settings.snapshot)):
            protocols = settings.snapshot.value("inet_protocols")
            log.warning(f"all network protocols are disabled (inet_protocols = {protocols})")
            log.warning('disabling all type "inet" services in master.cf')
            entries = [entry for entry in entries if entry.type != "inet"]
        options = ["-d"] * self._options.debug_in_foreground + ["-v"] * self._options.verbosity
        definitions = {}
        for entry in entries:
            if is_disabled(entry, settings.master_service_disable):
                continue
            self._note_chroot(entry, path)
            if entry.type == "inet" and self._interfaces.value != settings.snapshot.value("inet_interfaces"):
                log.warning(f"service {entry.name}: ignoring inet_interfaces change")
                log.warning("to change inet_interfaces, stop and start Postfix")
            definition = define(entry, settings, self._interfaces, path, options)
            definitions[definition.key] = definition
        return definitions

    def _note_chroot(self, entry: ServiceEntry, path: str) -> None:
        if entry.chroot_by_default:
            log.info(f"{path}: line {entry.line}: using backwards-compatible default setting chroot=y")

    def _end_service(self, service: Service) -> None:
        for pid in service.children:
            os.kill(pid, signal.SIGTERM)
        service.close()

    def reload(self) -> None:
        """Read main.cf and master.cf again.  Source: postfix(1) reload.  Raises ConfigError, which ends master."""
        present = self._settings.snapshot
        log.info(f"reload -- version {present.value('mail_version')}, configuration {present.config_directory}")
        snapshot = Snapshot.read(present.config_directory, process_name=PROGRAM)
        for warning in snapshot.warnings:
            log.warning(warning)
        overrides = []
        for name, old in self._kept.items():
            new = snapshot.value(name)
            if new != old:
                log.warning(f"ignoring {name} parameter value change")
                log.warning(f'old value: "{old}", new value: "{new}"')
                log.warning(f"to change {name}, stop and start Postfix")
                overrides.append((name, old))
        snapshot = snapshot.with_overrides(overrides)
        settings = MasterSettings(snapshot)
        check_startup(settings)
        self._settings = settings
        configure_log(snapshot, PROGRAM, to_file=True)
        self.configure()

    # Processes

    def start(self, service: Service) -> Child:
        """Start a process of *service*.  Raises OSError when there can be none."""
        definition = service.definition
        self._generation += 1
        module = self._programs.module(definition.program)
        plan = Plan(
            definition.program,
            definition.argv(len(service.listeners), service.stress),
            module,
            self._flow,
            service.status_write,
            service.listeners,
            self._generation,
        )
        pid = spawn(plan, self.loop, self._title)
        log.debug(f"spawn command {definition.program}; pid {pid}")
        child = Child(service, pid, self._generation, self.loop.now, forked=module is not None)
        self._children[pid] = child
        return child

    def reap(self) -> None:
        """Take note of all processes that have ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is not None:  # else an orphan that PID 1 inherits
                self._ended(child, status)
            if pid in self._draining:
                self._end_when_drained()

    def _ended(self, child: Child, status: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        service = child.service
        if code and self._services.get(service.definition.key) is service:
            how = f"exit status {code}" if code > 0 else f"killed by signal {-code}"
            log.warning(f"process {service.definition.program} pid {child.pid} {how}")
        service.ended(child, failed=code != 0 and self._failed_to_start(child, code))

    def _failed_to_start(self, child: Child, code: int) -> bool:
        """Tell whether a process was of no use at all.

        A program that we exec'd has been of use once it became available again, as Postfix's master has it.  Our own
        daemons serve many clients and seldom say so: they fail when they fail young, by their own fault.
        """
        if child.uses:
            return False
        if not child.forked:
            return True
        return -code not in _ENDED_BY_OTHERS and self.loop.now - child.started < _STARTUP_TIME

    # Running

    def run(self) -> int:
        """Serve until the end; return the exit status of a voluntary end."""
        if self._options.exit_time:
            self.loop.later(self._options.exit_time, self._exit_time)
        signal.signal(signal.SIGALRM, _bite)
        self._feed_watchdog()
        self.loop.run()
        return 0

    def _feed_watchdog(self) -> None:
        signal.alarm(_WATCHDOG_TIME)
        self.loop.later(_WATCHDOG_TIME / 3, self._feed_watchdog)

    def _reload_or_die(self) -> None:
        if self._draining:
            return  # the services that are closed would be opened again
        self._manager.reloading()
        try:
            self.reload()
        except ConfigError as error:
            for warning in error.warnings:
                log.warning(warning)
            log.fatal(str(error))
            log.finish()
            os._exit(1)
        self._manager.ready()

    def _exit_time(self) -> None:
        log.info("master exit time has arrived")
        self.loop.stop()

    def terminate(self, number: int) -> None:
        """End all processes, and then this one, by signal *number*; with pyfix_drain_time, when they have finished.

        Another signal meanwhile ends them at once.
        """
        patience = self._settings.pyfix_drain_time
        if patience and not self._draining:
            self._manager.stopping()
            log.info(f"draining on signal {number}, for {patience}s at most")
            self._draining = self._drain()
            self._drained_by = number
            self.loop.later(patience, lambda: self._end(number))
            self._end_when_drained()
        else:
            self._end(number)

    def _drain(self) -> set[int]:
        """Take no more work; return the processes that have some, which end when it is done, as without a master.

        What they need for that stays.
        """
        at_work: set[int] = set()
        for service in self._services.values():
            if service.definition.entry.command not in _NEEDED_BY_OTHERS:
                at_work |= service.children.keys()
                service.close()
        return at_work

    def _end_when_drained(self) -> None:
        if not self._draining & self._children.keys():
            self._end(self._drained_by)

    def _end(self, number: int) -> None:
        signal.signal(number, signal.SIG_IGN)
        self._manager.stopping()
        log.info(f"terminating on signal {number}")
        self._let_logger_read()
        pid = os.getpid()
        if pid != 1 and os.getpgrp() == pid:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.kill(-pid, signal.SIGTERM)
        else:
            for child in self._children:
                os.kill(child, signal.SIGTERM)
        if pid == 1:
            os._exit(0)
        signal.signal(number, signal.SIG_DFL)
        os.kill(pid, number)

    def _let_logger_read(self) -> None:
        """Wait a moment until postlogd(8), which is about to end too, has read our last line; start it if need be."""
        fd = log.fileno()
        if fd < 0 or not any(service.definition.entry.command == "postlogd" for service in self._services.values()):
            return
        end = self.loop.now + _LAST_WORDS_TIME
        while self.loop.now < end and _unread_bytes(fd):
            self.loop.turn(0.005)
        time.sleep(0.01)


def _bite(_number: int, _frame: object) -> None:
    log.fatal("watchdog timeout")
    log.finish()
    os._exit(1)


def _unread_bytes(fd: int) -> int:
    """Return how much of what was sent on a local socket its reader has not read yet."""
    (size,) = struct.unpack("i", fcntl.ioctl(fd, termios.TIOCOUTQ, b"\0" * 4))
    return int(size)
