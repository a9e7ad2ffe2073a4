"""Tables that others may change, and passwords that others may read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.commands.postfix.doctor.table_references import WITH_SECRETS, Reference, is_cache, references

__all__ = ["check"]

_WITH_PASSWORDS: Final = ("smtp_sasl_password_maps", "lmtp_sasl_password_maps", "tls_server_sni_maps")


def check(examination: Examination) -> Iterator[Finding]:
    """Look at owner and mode of each table's files, once a file."""
    seen: set[str] = set()
    for reference in references(examination):
        for path in (reference.source, reference.indexed):
            if path and path not in seen and not is_cache(reference.parameter):
                seen.add(path)
                yield from _check_file(reference, path)


def _check_file(reference: Reference, path: str) -> Iterator[Finding]:
    try:
        status = os.stat(path)
    except OSError:
        return
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode):
        return
    if mode & stat.S_IWOTH:
        yield Finding(
            Severity.ERROR,
            reference.place,
            f"{reference.parameter}: everybody may write to {path} (mode {mode:04o})",
            "Every account of this host can change where mail goes and who may send it"
            + (", and run commands by an alias." if reference.parameter.startswith("alias") else "."),
            (f"chmod o-w {path}",),
        )
    secret = reference.parameter in _WITH_PASSWORDS or (reference.kind in WITH_SECRETS and _has_password(path))
    if secret and mode & stat.S_IROTH:
        yield Finding(
            Severity.WARNING,
            reference.place,
            f"{reference.parameter}: everybody may read {path} (mode {mode:04o})",
            "It has passwords in it. The programs read it as root before they give up that right.",
            (f"chmod 0640 {path}",) if status.st_gid != 0 else (f"chmod 0600 {path}",),
        )


def _has_password(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            text = file.read(65536)
    except OSError:
        return False
    names = (line.partition(b"=")[0].strip() for line in text.splitlines() if not line.startswith(b"#"))
    return any(name in (b"password", b"bind_pw") for name in names)
