"""Where things are on this host."""

from __future__ import annotations

from pyfix.config.parameter import text, words
from pyfix.config.snapshot import Settings

__all__ = ["PathSettings"]


class PathSettings(Settings):
    """Where things are on this host."""

    alternate_config_directories = words("")
    """Other configuration directories that set-gid commands accept in -c and $MAIL_CONFIG."""

    command_directory = text("/usr/sbin", minimum=1)
    """Where the commands are: postconf, postmap, postqueue and the like."""

    config_directory = text("/etc/postfix")
    """Where main.cf and master.cf are."""

    daemon_directory = text("/usr/libexec/postfix", minimum=1)
    """Where the daemons and their helper scripts are."""

    data_directory = text("/var/lib/postfix", minimum=1)
    """Where daemons keep data that only mail_owner may write: caches, random seed, locks."""

    html_directory = text("no", minimum=1, readers="postfix")
    """Where the manual is as HTML, or ``no``."""

    mailq_path = text("/usr/bin/mailq", minimum=1, readers="postfix")
    """Where Sendmail's mailq command is."""

    manpage_directory = text("/usr/local/man", minimum=1, readers="postfix")
    """Where the manual pages are."""

    meta_directory = text("/etc/postfix", minimum=1)
    """Where files describing the installation are, such as the list of loadable table types."""

    newaliases_path = text("/usr/bin/newaliases", minimum=1, readers="postfix")
    """Where Sendmail's newaliases command is."""

    process_id_directory = text("pid", minimum=1)
    """Where below queue_directory the files with process ids and accept locks are."""

    queue_directory = text("/var/spool/postfix", minimum=1)
    """The top of the queue; most daemons have it as their working directory."""

    readme_directory = text("no", minimum=1, readers="postfix")
    """Where the README files are, or ``no``."""

    sample_directory = text("/etc/postfix", minimum=1, readers="postfix")
    """Where example configurations are."""

    sendmail_path = text("/usr/sbin/sendmail", minimum=1, readers="postfix")
    """Where Sendmail's sendmail command is; the daemons start it in places of their own accord."""

    shlib_directory = text("no", minimum=1)
    """Where loadable modules are, or ``no``."""
