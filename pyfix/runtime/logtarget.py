"""Where the log of a program goes, from main.cf and the environment.

Source: postconf(5) maillog_file, syslog_name, syslog_facility, postlog_service_name; the
variables MAIL_LOGTAG, POSTLOG_SERVICE and POSTLOG_HOSTNAME, by which a parent's choice reaches
its children.
"""

from __future__ import annotations

import os

from pyfix.config.snapshot import Snapshot
from pyfix.runtime.log import log


def configure_log(snapshot: Snapshot, program: str, *, to_stderr: bool = False) -> None:
    """Let this process's log lines go where main.cf says, tagged ``syslog_name/program``."""
    log.tag = f"{snapshot.value('syslog_name')}/{program}"
    log.to_stderr(to_stderr)
    path = ""
    if snapshot.value("maillog_file"):
        path = os.path.join(snapshot.value("queue_directory"), "public", snapshot.value("postlog_service_name"))
    elif os.getuid() == os.geteuid() and os.getgid() == os.getegid():  # else the environment is a stranger's
        path = os.environ.get("POSTLOG_SERVICE", "")
    if path:
        log.to_postlogd(path, os.environ.get("POSTLOG_HOSTNAME") or snapshot.value("myhostname"))
    else:
        log.to_syslog(snapshot.value("syslog_facility"))
