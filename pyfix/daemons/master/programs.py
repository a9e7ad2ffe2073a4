"""Which programs of daemon_directory are our own daemons, and their modules, imported once for all forks."""

from __future__ import annotations

import gc
import importlib
import sys

from pyfix.config import catalogue
from pyfix.config.parameter import DECLARED
from pyfix.config.snapshot import Snapshot
from pyfix.formats.attributes import end_of_list
from pyfix.launch import daemon_module, launched_daemon
from pyfix.runtime.jail import take_along
from pyfix.runtime.log import log
from pyfix.tables.textfile import split_entry

WARM = (
    "encodings.ascii",
    "encodings.idna",
    "encodings.punycode",
    "idna.uts46data",
    "pyfix.access.actions",
    "pyfix.access.addresses",
    "pyfix.access.general",
    "pyfix.access.helo",
    "pyfix.access.relay",
    "pyfix.access.restrictions",
    "pyfix.access.tables",
    "pyfix.access.unavailable",
    "pyfix.tables.berkeley",
    "pyfix.tables.memory",
    "pyfix.tables.regexp",
    "pyfix.tables.rules",
    "pyfix.tables.texthash",
)
"""What the daemons import on first use: here once, so that no process does it while a client waits."""


class Programs:
    """Tells what a process can be forked for, and has it in memory."""

    def __init__(self) -> None:
        self._failed: set[str] = set()
        self._warm = False

    def reset(self) -> None:
        """Give modules that could not be imported another chance."""
        self._failed.clear()

    def module(self, program: str) -> str | None:
        """Return the module of the daemon that the launcher at *program* starts, once it is imported.

        None for any other program, or when the module can't be imported: exec(2) will show what is wrong.
        """
        try:
            name = launched_daemon(program)
        except OSError:
            return None
        if name is None or name == "master":
            return None
        module = daemon_module(name)
        if module in self._failed:
            return None
        if module not in sys.modules and not self._import(module, program):
            return None
        return module

    def _import(self, module: str, program: str) -> bool:
        try:
            importlib.import_module(module)
            self._warm_up()
        except Exception as error:
            log.warning(f"{program}: can't be started by a fork: {type(error).__name__}: {error}")
            self._failed.add(module)
            return False
        return True

    def freeze(self, snapshot: Snapshot, *, jails: bool = False) -> None:
        """Do once what each process would do for itself, and keep the garbage collector away from what they share.

        *jails*: some services run in a chroot environment.
        """
        if jails:
            take_along()
        for parameter in DECLARED.values():
            parameter.prepare(snapshot)
        if gc.get_freeze_count():  # after a reload, what the old configuration has left; imports leave next to nothing
            gc.unfreeze()
            gc.collect()
        gc.freeze()

    def _warm_up(self) -> None:
        if not self._warm:
            for name in WARM:
                importlib.import_module(name)
            # Expressions that nearly all daemons need, and that commands do not wait for: compiled once for all.
            end_of_list(b"\0")
            split_entry("key value")
            catalogue.all_parameters()  # qmgr(8) would for the parameters of transports, other daemons for $name
            self._warm = True
