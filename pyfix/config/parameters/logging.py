"""What is logged, how and where."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["LoggingSettings"]


class LoggingSettings(Settings):
    """What is logged, how and where."""

    debug_peer_level = integer("2", minimum=1)
    debug_peer_list = words("")
    debugger_command = text("")
    delay_logging_resolution_limit = integer("2", maximum=6)
    helpful_warnings = boolean("yes")
    info_log_address_format = text("external", minimum=1)
    maillog_file = text("")
    maillog_file_compressor = text("gzip", minimum=1)
    maillog_file_permissions = text("0600", minimum=1)
    maillog_file_prefixes = words("/var, /dev/stdout", minimum=1)
    maillog_file_rotate_suffix = text("%Y%m%d-%H%M%S", minimum=1)
    syslog_facility = text("mail", minimum=1)
    syslog_name = text("${multi_instance_name?{$multi_instance_name}:{postfix}}", minimum=1)
