"""The life of a process: limits, environment, forks."""

from __future__ import annotations

import os

from pyfix.config.parameter import boolean, duration, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["ProcessSettings"]


class ProcessSettings(Settings):
    """The life of a process: limits, environment, forks."""

    application_event_drain_time = duration("100s", minimum=1)
    daemon_timeout = duration("18000s", minimum=1)
    default_process_limit = integer("100", minimum=1)
    export_environment = words("TZ MAIL_CONFIG LANG")
    fault_injection_code = integer("0")
    fork_attempts = integer("5", minimum=1)
    fork_delay = duration("1s", minimum=1)
    import_environment = words(
        "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE "
        "POSTLOG_HOSTNAME XDG_RUNTIME_DIR"
    )
    max_idle = duration("100s", minimum=1)
    max_use = integer("100", minimum=1)
    process_id = integer(lambda _: str(os.getpid()))
    process_name = text(lambda snapshot: snapshot.process_name)
    send_cyrus_sasl_authzid = boolean("no")
    service_name = text("amnesiac")
