"""Where the log of a program goes, from main.cf and the environment.

Source: postconf(5) maillog_file, syslog_name, syslog_facility, postlog_service_name; the
variables MAIL_LOGTAG, POSTLOG_SERVICE and POSTLOG_HOSTNAME, by which a parent's choice reaches
its children.
"""

from __future__ import annotations

import os

from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.log import log


def configure_log(snapshot: Snapshot, program: str, *, to_stderr: bool = False, to_file: bool = False) -> None:
    """Let this process's log lines go where main.cf says, tagged ``syslog_name/program``.

    *to_file* lets programs of the mail system's owner write to maillog_file themselves when no postlogd(8) runs.
    """
    log.tag = f"{snapshot.value('syslog_name')}/{program}"
    log.ascii_only = not _shows_utf8(snapshot)
    log.to_stderr(to_stderr)
    path = hostname = ""
    log.fall_back_to(_own_logfile(snapshot) if to_file else "")
    if snapshot.value("maillog_file"):
        path = os.path.join(snapshot.value("queue_directory"), "public", snapshot.value("postlog_service_name"))
        hostname = snapshot.value("myhostname")  # a service may have one of its own, by "-o myhostname="
    elif os.getuid() == os.geteuid() and os.getgid() == os.getegid():  # else the environment is a stranger's
        path, hostname = os.environ.get("POSTLOG_SERVICE", ""), os.environ.get("POSTLOG_HOSTNAME", "")
    if path:
        log.to_postlogd(path, hostname or snapshot.value("myhostname"))
    else:
        log.to_syslog(snapshot.value("syslog_facility"))


def configure_log_early(program: str, *, to_stderr: bool = False) -> None:
    """Let the log of a program that master(8) started go where master(8) said: main.cf is not read yet, or never."""
    log.tag = f"{os.environ.get('MAIL_LOGTAG') or 'postfix'}/{program}"
    log.to_stderr(to_stderr)
    path = os.environ.get("POSTLOG_SERVICE", "")
    if path:
        log.to_postlogd(path, os.environ.get("POSTLOG_HOSTNAME", ""))
    else:
        log.to_syslog("mail")


def _shows_utf8(snapshot: Snapshot) -> bool:
    try:
        return snapshot.value("smtputf8_enable").lower() == "yes"
    except ConfigError:
        return True  # A bad compatibility_level, which check_startup is about to tell.


def _own_logfile(snapshot: Snapshot) -> str:
    """Return maillog_file if this process may create it: root, or the caller of a mail system without root."""
    path = snapshot.value("maillog_file")
    if not path or path.startswith("/dev/"):
        return ""
    uid = os.geteuid()
    try:
        return path if uid == 0 or os.stat(snapshot.value("queue_directory")).st_uid == uid else ""
    except OSError:
        return ""
