"""How many commands, or deliveries, one process may have at a time, by the limit of processes in master.cf."""

from __future__ import annotations

from pyfix.config.errors import ConfigError
from pyfix.config.master_cf import ServiceEntry, read_master_cf
from pyfix.config.parameters.process import ProcessSettings
from pyfix.config.snapshot import Snapshot, default_config_directory

__all__ = ["commands_at_a_time", "deliveries_at_a_time"]


def commands_at_a_time(snapshot: Snapshot, service: str, program: str) -> tuple[int, bool]:
    """Return how many commands this process may run, and whether that is as many as the service may.

    A limit of processes in master.cf is one of commands: each process runs one then, as Postfix's does.  Without a
    limit of its own the service has default_process_limit, and one process runs so many.
    """
    entry = _entry(service, program)
    if entry is not None and entry.process_limit is None:
        return ProcessSettings(snapshot).default_process_limit, True
    return 1, False


def deliveries_at_a_time(snapshot: Snapshot, service: str, program: str, usual: int) -> tuple[int, bool]:
    """Return how many deliveries this process may have under way, and whether that is as many as the service may.

    A limit of processes in master.cf is one of deliveries, and of connections to servers: as Postfix's process has one,
    so have ours together.  *usual* is for a service without any limit, and where nothing is known.
    """
    entry = _entry(service, program)
    if entry is None:
        return usual, False
    limit = ProcessSettings(snapshot).default_process_limit if entry.process_limit is None else entry.process_limit
    return (limit, True) if limit else (usual, False)


def _entry(service: str, program: str) -> ServiceEntry | None:
    """Return what master.cf has of a service, None when that is nothing or can't be read."""
    try:
        entries = read_master_cf(f"{default_config_directory()}/master.cf")
    except ConfigError:
        return None
    return next((entry for entry in entries if entry.name == service and entry.command == program), None)
