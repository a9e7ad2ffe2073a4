"""Making definitions of services from lines of master.cf."""

from __future__ import annotations

from pyfix.config.master_cf import parse_entry
from pyfix.config.parameters.master import MasterSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.master.definition import Definition, define
from pyfix.daemons.master.endpoint import Interfaces

SETTINGS = {"daemon_directory": "/daemons", "inet_protocols": "all", "inet_interfaces": "127.0.0.1, ::1"}


def settings(**main: str) -> MasterSettings:
    return MasterSettings(Snapshot({**SETTINGS, **main}))


def definition(line: str, *options: str, **main: str) -> Definition:
    entry = parse_entry(line, "master.cf: line 7")
    entry.line = 7
    found = settings(**main)
    return define(entry, found, Interfaces(found.snapshot), "master.cf", options)
