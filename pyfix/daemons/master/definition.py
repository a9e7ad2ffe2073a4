"""What an entry of master.cf amounts to: addresses, program, command line, limits."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from pyfix.config.master_cf import ServiceEntry
from pyfix.config.parameters.master import MasterSettings
from pyfix.daemons.master.endpoint import Address, Interfaces, inet_addresses, listen_fifo, listen_inet, listen_unix
from pyfix.runtime.identity import Owner

Key = tuple[str, str, bool]
"""Name, type and privacy: a service that keeps them is the same one after a reload."""

STRESS_OPTION = "stress="


@dataclass(frozen=True, slots=True)
class Definition:
    """A service as master.cf and main.cf define it."""

    entry: ServiceEntry
    addresses: tuple[Address, ...]
    """Where an inet service listens; empty for the others."""
    program: str
    """Path of the program below daemon_directory."""
    process_limit: int
    """0 is no limit."""
    backlog: int
    options: tuple[str, ...]
    """The options ``-d`` and ``-v`` that master itself has."""

    @property
    def key(self) -> Key:
        """What stays the same over a reload."""
        return self.entry.name, self.entry.type, self.entry.private

    @property
    def endpoint(self) -> str:
        """The name under which log lines show where the service listens."""
        return self.entry.endpoint

    @property
    def knows_stress(self) -> bool:
        """Whether the processes are told about overload: services that are open to the network, with several processes.

        Source: STRESS_README.
        """
        if self.process_limit <= 1:
            return False
        if self.entry.type == "inet":
            return not all(address.loopback for address in self.addresses)
        return self.entry.type == "pass"

    def argv(self, listeners: int, stress: str) -> list[str]:
        """Return the command line of a new process; *stress* is ``yes`` or nothing."""
        entry = self.entry
        argv = [entry.command]
        if self.process_limit == 1:
            argv.append("-l")
        elif self.process_limit == 0:
            argv.append("-z")
        if os.path.basename(entry.command) != entry.name:
            argv += ["-n", entry.name]
        argv += ["-t", entry.type, *self.options]
        if entry.unprivileged:
            argv.append("-u")
        if entry.chroot:
            argv.append("-c")
        if self.knows_stress:
            argv += ["-o", STRESS_OPTION + stress]
        if listeners > 1:
            argv += ["-s", str(listeners)]
        return [*argv, *entry.arguments]

    def listen(self, owner: Owner, window: int = 0) -> tuple[int, ...]:
        """Open the endpoint and return its descriptors.  *window*: tcp_windowsize.  Raises ConfigError."""
        match self.entry.type:
            case "inet":
                return tuple(listen_inet(address, self.backlog, window) for address in self.addresses)
            case "fifo":
                return (listen_fifo(self.entry.socket_path, owner),)
            case "unix-dgram":
                return (listen_unix(self.entry.socket_path, owner, self.backlog, socket.SOCK_DGRAM),)
        return (listen_unix(self.entry.socket_path, owner, self.backlog),)


def define(
    entry: ServiceEntry, settings: MasterSettings, interfaces: Interfaces, path: str, options: Sequence[str]
) -> Definition:
    """Work out a definition; *path* is that of master.cf, for complaints.  Raises ConfigError."""
    default = settings.default_process_limit
    limit = default if entry.process_limit is None else entry.process_limit
    addresses: tuple[Address, ...] = ()
    if entry.type == "inet":
        addresses = inet_addresses(entry, settings.snapshot, interfaces, f"{path}: line {entry.line}")
    return Definition(
        entry,
        addresses,
        os.path.join(settings.daemon_directory, entry.command),
        limit,
        max(limit, default),
        tuple(options),
    )


def is_disabled(entry: ServiceEntry, disabled: Sequence[str]) -> bool:
    """Tell whether a service is turned off by ``type`` or ``name.type``; the first match wins.

    Source: postconf(5) master_service_disable.
    """
    for word in disabled:
        negated = word.startswith("!")
        name, _, type_ = word.lstrip("!").replace("/", ".").rpartition(".")
        if type_ == entry.type and name in ("", entry.name):
            return not negated
    return False
