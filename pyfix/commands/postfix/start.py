"""Starting the mail system."""

from __future__ import annotations

import os

from pyfix.commands.postfix.check import check_fatal, check_warn
from pyfix.commands.postfix.stop import QUICK_START
from pyfix.commands.postfix.system import Failure, System, instances_of_the_primary
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
    if system.settings.multi_instance_directories or instances_of_the_primary():
        raise system.failure("start-fg does not support multi_instance_directories")
    return system.execute([system.daemon("master"), "-i" if os.getpid() == 1 else "-s"])


def _prepare(system: System) -> None:
    """Check what must be right, say that we start, and look for what may be wrong meanwhile.  Raises Failure."""
    if system.running() is not None:
        raise system.failure("the Postfix mail system is already running")
    try:
        os.unlink(QUICK_START)
    except OSError:
        _check(system)
    if ADDRESS in os.environ:
        system.environment[ADDRESS] = os.environ[ADDRESS]  # for master, whatever import_environment says
    system.info("starting the Postfix mail system")


def _check(system: System) -> None:
    try:
        check_fatal(system)
    except Failure:
        raise system.failure("Postfix integrity check failed!") from None
    if os.getpid() != 1 and os.fork() == 0:
        os.setsid()  # a Ctrl-C is not meant for the check
        check_warn(system)
        os._exit(0)
