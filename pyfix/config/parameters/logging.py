"""What is logged, how and where."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["LoggingSettings"]


class LoggingSettings(Settings):
    """What is logged, how and where."""

    debug_peer_level = integer("2", minimum=1)
    """How many more -v a peer in debug_peer_list gets."""

    debug_peer_list = words("")
    """Peers with which sessions are logged verbosely: names, addresses, networks, files, tables."""

    debugger_command = text("")
    """The command that a daemon with option -D starts next to itself."""

    delay_logging_resolution_limit = integer("2", maximum=6)
    """Digits behind the decimal point of logged delays, 0 to 6."""

    helpful_warnings = boolean("yes")
    """Whether to warn about configurations that are legal and probably wrong."""

    info_log_address_format = text("external", minimum=1)
    """Whether addresses are logged in external (quoted) or internal form."""

    maillog_file = text("")
    """A file that postlogd(8) writes the log to instead of syslog, or /dev/stdout."""

    maillog_file_compressor = text("gzip", minimum=1)
    """What ``postfix logrotate`` compresses an old log with."""

    maillog_file_permissions = text("0600", minimum=1)
    """The mode of a new log file."""

    maillog_file_prefixes = words("/var, /dev/stdout", minimum=1)
    """Where maillog_file may be."""

    maillog_file_rotate_suffix = text("%Y%m%d-%H%M%S", minimum=1)
    """The strftime(3) format of what is appended to an old log's name."""

    syslog_facility = text("mail", minimum=1)
    """The syslog facility of the log."""

    syslog_name = text("${multi_instance_name?{$multi_instance_name}:{postfix}}", minimum=1)
    """What stands before the program's name in log lines."""
