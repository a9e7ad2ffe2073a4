"""Starting the mail system."""

from __future__ import annotations

import os

import pyfix
from pyfix.commands.postfix.system import Failure, System
from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.servicemanager import ADDRESS

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence


def start(system: System, _words: Sequence[str]) -> int:
    """Start the mail system in the background; return when it runs.  Raises Failure."""
    _prepare(system)
    if system.run(system.daemon("master"), "-w") != 0:
        raise system.failure("mail system startup failed")
    return 0


def start_in_foreground(system: System, _words: Sequence[str]) -> int:
    """Become master(8), as a service manager or a container wants it.  Raises Failure."""
    _prepare(system)
    if system.settings.multi_instance_directories or _belongs_to_others(system):
        raise system.failure("start-fg does not support multi_instance_directories")
    return system.execute([system.daemon("master"), "-i" if os.getpid() == 1 else "-s"])


def _belongs_to_others(system: System) -> bool:
    """Tell whether the built-in configuration directory's main.cf names instances."""
    if system.config_directory == pyfix.CONFIG_DIRECTORY:
        return False
    try:
        return bool(Snapshot.read(pyfix.CONFIG_DIRECTORY).value("multi_instance_directories"))
    except ConfigError:
        return False


def _prepare(system: System) -> None:
    """Check what must be right, say that we start, and look for what may be wrong meanwhile.  Raises Failure."""
    from pyfix.commands.postfix.check import check_fatal, check_warn

    if system.running() is not None:
        raise system.failure("the Postfix mail system is already running")
    try:
        check_fatal(system)
    except Failure:
        raise system.failure("Postfix integrity check failed!") from None
    if os.getpid() != 1 and os.fork() == 0:
        os.setsid()  # a Ctrl-C is not meant for the check
        check_warn(system)
        os._exit(0)
    if ADDRESS in os.environ:
        system.environment[ADDRESS] = os.environ[ADDRESS]  # for master, whatever import_environment says
    system.info("starting the Postfix mail system")
