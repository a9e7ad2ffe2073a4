"""Settings that stand twice: the last one counts, and it may not be the one that somebody looks at."""

from __future__ import annotations

from collections.abc import Iterator

from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Place, Severity

__all__ = ["check"]


def check(examination: Examination) -> Iterator[Finding]:
    """Tell of each setting of main.cf that a later line replaces by another value."""
    for name, line, value in examination.earlier:
        last = examination.lines[name]
        shown = value if len(value) <= 60 else value[:57] + "..."
        yield Finding(
            Severity.WARNING,
            Place(examination.main_path, line),
            f"{name} = {shown} has no effect: line {last} sets {name} again",
            "Of several settings of one name the last one counts. Remove the one that is not meant.",
        )
