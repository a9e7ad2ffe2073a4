"""How findings are shown: to a person, and to a program."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import Final

from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.commands.postfix.doctor.registry import CHECKS, GROUPS

__all__ = ["as_json", "as_text"]

_WIDTH: Final = 100
_COLORS: Final = {Severity.ERROR: "31;1", Severity.WARNING: "33", Severity.NOTE: "36"}
_PLACE, _HEADING = "2", "1"

Found = Sequence[tuple[str, Finding]]
"""The names of checks and what they found."""


def as_text(found: Found, *, color: bool) -> str:
    """Return the findings by group, the worst of a group first, and a last line that counts them."""

    def painted(text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if color else text

    lines: list[str] = []
    for group, heading in GROUPS.items():
        here = [(name, finding) for name, finding in found if CHECKS[name] == group]
        if not here:
            continue
        lines += [painted(heading, _HEADING), ""]
        for _, finding in sorted(here, key=lambda item: -item[1].severity):
            word = finding.severity.word
            first, *others = _wrapped(f"{word}: {finding.what}", _WIDTH - 4) or [word]
            lines.append(f"  {painted(word, _COLORS[finding.severity])}{first.removeprefix(word)}")
            lines += [f"    {line}" for line in others]
            lines.append(f"    {painted(f'at {finding.place}', _PLACE)}")
            lines += [f"    {line}" for line in _wrapped(finding.why, _WIDTH - 4)]
            lines += [f"        {line}" for line in finding.instead]
            lines.append("")
    lines.append(_summary(found))
    return "\n".join(lines) + "\n"


def _wrapped(text: str, width: int) -> list[str]:
    """Break at blanks only: paths and values stay whole."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _summary(found: Found) -> str:
    if not found:
        return f"Nothing found in {len(CHECKS)} checks."
    counts = []
    for severity in sorted(Severity, reverse=True):
        number = sum(finding.severity == severity for _, finding in found)
        if number:
            counts.append(f"{number} {severity.word}{'s' if number > 1 else ''}")
    return f"Found in {len(CHECKS)} checks: {', '.join(counts)}."


def as_json(found: Found, directory: str) -> str:
    """Return one JSON object, the same findings in its list ``findings``."""
    return (
        json.dumps(
            {
                "config_directory": directory,
                "checks": list(CHECKS),
                "counts": {
                    severity.word: sum(finding.severity == severity for _, finding in found) for severity in Severity
                },
                "findings": [
                    {
                        "check": name,
                        "severity": finding.severity.word,
                        "file": finding.place.path,
                        "line": finding.place.line or None,
                        "what": finding.what,
                        "why": finding.why,
                        "instead": list(finding.instead),
                    }
                    for name, finding in found
                ],
            },
            indent=2,
        )
        + "\n"
    )
