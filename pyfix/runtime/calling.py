"""Whether a daemon was called as master(8) calls it, and as its service must be defined in master.cf.

Source: the fatal lines of Postfix's daemons, in their order.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from pyfix.config.errors import ConfigError
from pyfix.runtime.child import FIRST_LISTENER, STATUS, Invocation

_BY_HAND = "do not run this command by hand"


def check_caller(invocation: Invocation) -> None:
    """Check that it is no person at a terminal who calls.  Raises ConfigError."""
    if os.isatty(0) and not invocation.do_not_detach:
        raise ConfigError(_BY_HAND)


def check_call(
    invocation: Invocation, *, process_limit: int | None, privileged: bool, transports: Collection[str]
) -> None:
    """Check the options of a service, and that there is something to listen on; what main.cf has is told of before.

    *process_limit*: what master.cf must say, 1 or 0 (no limit), None: anything; *privileged*: field 4 must be ``n``;
    *transports*: types of service that the daemon can be.  Raises ConfigError.
    """
    service = invocation.service
    if process_limit == 1 and not invocation.single:
        raise ConfigError(f"service {service} requires a process limit of 1")
    if process_limit == 0 and not invocation.unlimited:
        raise ConfigError(f"service {service} requires a process limit of 0")
    if privileged and invocation.unprivileged:
        raise ConfigError(f"service {service} requires privileged operation")
    if not invocation.transport_type:
        raise ConfigError("no transport type specified")
    if invocation.transport_type not in transports:
        raise ConfigError(f"unsupported transport type: {invocation.transport_type}")
    try:
        for fd in (STATUS, FIRST_LISTENER + invocation.listeners - 1):
            os.fstat(fd)
    except OSError:
        raise ConfigError(_BY_HAND) from None
