"""Where things are on this host."""

from __future__ import annotations

from pyfix.config.parameter import text, words
from pyfix.config.snapshot import Settings

__all__ = ["PathSettings"]


class PathSettings(Settings):
    """Where things are on this host."""

    alternate_config_directories = words("")
    command_directory = text("/usr/sbin", minimum=1)
    config_directory = text("/etc/postfix")
    daemon_directory = text("/usr/libexec/postfix", minimum=1)
    data_directory = text("/var/lib/postfix", minimum=1)
    html_directory = text("no", minimum=1)
    mailq_path = text("/usr/bin/mailq", minimum=1)
    manpage_directory = text("/usr/local/man", minimum=1)
    meta_directory = text("/etc/postfix", minimum=1)
    newaliases_path = text("/usr/bin/newaliases", minimum=1)
    process_id_directory = text("pid", minimum=1)
    queue_directory = text("/var/spool/postfix", minimum=1)
    readme_directory = text("no", minimum=1)
    sample_directory = text("/etc/postfix", minimum=1)
    sendmail_path = text("/usr/sbin/sendmail", minimum=1)
    shlib_directory = text("no", minimum=1)
