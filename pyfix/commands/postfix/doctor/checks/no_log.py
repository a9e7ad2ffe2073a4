"""A mail system whose log nobody writes."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Place, Severity

__all__ = ["check"]

_SERVICE = "postlog   unix-dgram n  -       n       -       1       postlogd"


def check(examination: Examination) -> Iterator[Finding]:
    """See whether there is a system logger, or else maillog_file and what writes it."""
    path = examination.snapshot.value("maillog_file")
    if not path:
        if not examination.host.has_syslog:
            yield Finding(
                Severity.WARNING,
                Place(examination.main_path),
                "there is no log: /dev/log does not exist, and maillog_file is empty",
                "Nobody can find out what became of a message. In a container let the log go to standard output.",
                ("maillog_file = /dev/stdout" if examination.host.in_container else "maillog_file = /var/log/maillog",),
            )
        return
    service = examination.snapshot.value("postlog_service_name")
    if not examination.has_service(service, types=("unix-dgram",)):
        yield Finding(
            Severity.ERROR,
            examination.place("maillog_file"),
            f"maillog_file = {path}, and master.cf has no service {service}",
            "postlogd(8) writes the file; without it `postfix start' refuses to start.",
            (_SERVICE.replace("postlog ", f"{service} ", 1),),
        )
    folder = os.path.dirname(path)
    if not path.startswith("/dev/") and not os.path.isdir(folder):
        yield Finding(
            Severity.ERROR,
            examination.place("maillog_file"),
            f"maillog_file = {path}: the folder {folder} does not exist",
            "The log can't be written.",
            (f"mkdir -m 0755 {folder}",),
        )
