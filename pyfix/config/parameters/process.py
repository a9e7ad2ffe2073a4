"""The life of a process: limits, environment, forks."""

from __future__ import annotations

import os

from pyfix.config.parameter import boolean, duration, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["ProcessSettings"]


class ProcessSettings(Settings):
    """The life of a process: limits, environment, forks."""

    application_event_drain_time = duration("100s", minimum=1)
    """Seconds that postkick(1) and the like wait for the answer to a wakeup."""

    daemon_timeout = duration("18000s", minimum=1)
    """Seconds after which a daemon that does not come back to its event loop is ended."""

    default_process_limit = integer("100", minimum=1)
    """Processes of a service that master.cf gives no limit."""

    export_environment = words("TZ MAIL_CONFIG LANG")
    """Environment variables that other programs get: names, or name=value."""

    fault_injection_code = integer("0")
    """For tests of the error paths; 0 in real life."""

    fork_attempts = integer("5", minimum=1)
    """How often to try to fork before giving up."""

    fork_delay = duration("1s", minimum=1)
    """Seconds between two tries to fork."""

    import_environment = words(
        "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE "
        "POSTLOG_HOSTNAME XDG_RUNTIME_DIR"
    )
    """Environment variables that programs keep when they start: names, or name=value."""

    max_idle = duration("100s", minimum=1)
    """Seconds without a request after which a daemon ends."""

    max_use = integer("100", minimum=1)
    """Requests after which a daemon ends and another takes its place."""

    process_id = integer(lambda _: str(os.getpid()))
    """The number of this process."""

    process_name = text(lambda snapshot: snapshot.process_name)
    """The name of this program."""

    send_cyrus_sasl_authzid = boolean("no")
    """Whether SASL clients say for whom they act even when it is themselves."""

    service_name = text("amnesiac")
    """The name of the service in master.cf."""
