"""postkick(1): send a request to a daemon, from a shell script."""

from __future__ import annotations

import os
import sys

from pyfix.config.parameters.process import ProcessSettings
from pyfix.runtime.console import BadOption, CommandError, enter_queue, parse_options, read_settings, run_command
from pyfix.runtime.ipc_sync import trigger_or_warn
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_USAGE = "usage: postkick [-c config_dir] [-v] class service request"


def main(argv: Sequence[str]) -> int:
    """Run postkick with the arguments after its name; return the exit status, 1 when nobody takes the request.

    Source: postkick(1).
    """
    return run_command("postkick", lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    try:
        options, words = parse_options(argv, "c:v")
    except BadOption as error:
        print(f"postkick: {error}", file=sys.stderr)
        raise CommandError(_USAGE) from None
    if len(words) != 3:
        raise CommandError(_USAGE)
    snapshot = read_settings("postkick", dict(options).get("c"))
    service_class, service, request = words
    path = f"{service_class}/{service}"
    enter_queue(snapshot)
    if not trigger_or_warn(path, os.fsencode(request), ProcessSettings(snapshot).application_event_drain_time):
        log.warning(f"Cannot contact class {service_class} service {service} - perhaps the mail system is down")
        return 1
    return 0
