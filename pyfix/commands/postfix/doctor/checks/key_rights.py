"""Private keys that others may read or change."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from pyfix.commands.postfix.doctor.certificate_files import PEM_KEY, pairs
from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Severity

__all__ = ["check"]


def check(examination: Examination) -> Iterator[Finding]:
    """Look at the mode of each key's file, once a file."""
    seen: set[str] = set()
    for pair in pairs(examination):
        path = pair.key
        if path in seen:
            continue
        seen.add(path)
        try:
            mode = stat.S_IMODE(os.stat(path).st_mode)
            with open(path, "rb") as file:
                has_key = PEM_KEY.search(file.read()) is not None
        except OSError:
            continue  # the check of certificates tells of it
        if not has_key or not mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
            continue
        parameter = (
            pair.key_parameter if examination.is_set(pair.key_parameter, pair.service) else pair.certificate_parameter
        )
        what = "everybody may read" if mode & stat.S_IROTH else "others may change"
        yield Finding(
            Severity.ERROR,
            examination.place(parameter, pair.service, path),
            f"{parameter}: {what} the key in {path} (mode {mode:04o})",
            "Who has the key can pretend to be this host. The programs read it as root before they give up that right.",
            (f"chmod 0600 {path}",),
        )
