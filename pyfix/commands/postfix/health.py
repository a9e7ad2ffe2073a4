"""``postfix health``: whether the mail system does its work, for the probes of containers and monitoring.

An addition to postfix(1).  It asks and looks, changes nothing, and logs nothing.
"""

from __future__ import annotations

import os
import time

from pyfix.commands.postfix.system import System
from pyfix.formats.attributes import AttributeListError
from pyfix.protocols.internal.rewrite import PROTOCOL, RewriteReply, RewriteRequest
from pyfix.queue.freespace import has_room
from pyfix.runtime.ipc_sync import Connection

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PATIENCE = 5.0
"""Seconds in which a service has to answer."""
_LONGEST_STAY = 600.0
"""Seconds after which a message that pickup(8) has not taken, which looks every minute, has been forgotten."""


def health(system: System, words: Sequence[str]) -> int:
    """Print ``healthy``, or a line for each thing that is wrong; return 0 or 1.

    With ``--json``, print an object: ``healthy``, and ``faults`` with one text each.  Raises Failure for other words.
    """
    if any(word != "--json" for word in words):
        raise system.failure("health: usage: postfix health [--json]")
    checks: tuple[Callable[[System], str], ...] = (_master, _services, _room, _maildrop)
    faults = [fault for check in checks if (fault := check(system))]
    if words:
        import json

        print(json.dumps({"healthy": not faults, "faults": faults}))
    else:
        print("\n".join(faults) or "healthy")
    return int(bool(faults))


def _master(system: System) -> str:
    return "" if system.running() is not None else "the mail system is not running"


def _services(system: System) -> str:
    """Ask a service that needs nothing from outside: it shows that master starts processes, and that they answer."""
    if system.running() is None:
        return ""
    name = system.settings.rewrite_service_name
    try:
        with Connection(f"private/{name}", _PATIENCE) as connection:
            connection.expect_handshake(PROTOCOL)
            connection.ask(RewriteRequest("local", "postmaster"), RewriteReply)
    except TimeoutError:
        return f"service {name} does not answer within {_PATIENCE:.0f} seconds"
    except (OSError, AttributeListError) as error:
        return f"service {name} does not answer: {error}"
    return ""


def _room(system: System) -> str:
    """Look for the room that smtpd(8) wants before it takes a message."""
    snapshot = system.snapshot
    minimum = int(snapshot.value("queue_minfree"))
    if has_room(minimum, system.settings.message_size_limit):
        return ""
    return f"{system.settings.queue_directory}: no room for another message"


def _maildrop(_system: System) -> str:
    """Look for mail of commands that nobody takes; what is not executable is still being written."""
    now = time.time()
    oldest = now
    with os.scandir("maildrop") as entries:
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # taken in this moment
            if status.st_mode & 0o100:
                oldest = min(oldest, status.st_mtime)
    if now - oldest < _LONGEST_STAY:
        return ""
    return f"mail has waited in maildrop for {(now - oldest) / 60:.0f} minutes"
