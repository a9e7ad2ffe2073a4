"""A debugger for a process of the mail system, option -D.  Source: postconf(5) debugger_command, DEBUG_README."""

from __future__ import annotations

import os

from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.log import log


def run_debugger(snapshot: Snapshot) -> None:
    """Start debugger_command and wait until it has returned; it leaves the debugger in the background.

    Raises ConfigError when there is none.
    """
    command = snapshot.value("debugger_command")
    if not command:
        raise ConfigError("no debugger_command variable set up")
    log.info(f"running: {command}")
    os.spawnv(os.P_WAIT, "/bin/sh", ["sh", "-c", command])
