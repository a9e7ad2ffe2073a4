"""The keys of rewritten senders (SRS) that can't be used, without which smtp, smtpd and cleanup do not start."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.config.errors import ConfigError
from pyfix.config.parameters.sender_rewriting import SenderRewritingSettings
from pyfix.tables.srs import open_rewritten_senders

__all__ = ["check"]

_PARAMETER = "pyfix_srs_key_file"


def check(examination: Examination) -> Iterator[Finding]:
    """Read the keys as the programs do."""
    try:
        settings = SenderRewritingSettings(examination.snapshot)
        path = settings.pyfix_srs_key_file
        if settings.pyfix_srs_domain and path and _all_may_read(path):
            yield Finding(
                Severity.WARNING,
                examination.place(_PARAMETER, None, path),
                f"{_PARAMETER}: everybody may read {path}",
                "Who has the key can make addresses that this system forwards mail for. The programs read it as root.",
                (f"chmod 0600 {path}",),
            )
        else:
            open_rewritten_senders(settings)
    except ConfigError as error:
        yield Finding(
            Severity.ERROR,
            examination.place(_PARAMETER if examination.is_set(_PARAMETER) else "pyfix_srs_domain"),
            str(error),
            "smtpd, smtp and cleanup do not start: no mail is accepted, and none leaves.",
        )


def _all_may_read(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & stat.S_IROTH)
    except OSError:
        return False
