"""Running the checks.  Source: pyfix's own; postfix(1) tells of the option and its exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Place, Severity
from pyfix.commands.postfix.doctor.host import Host
from pyfix.commands.postfix.doctor.registry import CHECKS
from pyfix.commands.postfix.doctor.report import as_json, as_text
from pyfix.commands.postfix.system import System
from pyfix.config.errors import ConfigError
from pyfix.runtime.log import log
from pyfix.tables.table import TableError

__all__ = ["examine", "run"]

_STATUS: Final = {Severity.NOTE: 0, Severity.WARNING: 2, Severity.ERROR: 3}
"""Exit status by the worst finding; 1 is that of any ``postfix`` command that could not do its work."""


def run(system: System, words: Sequence[str]) -> int:
    """Examine the configuration, print what was found, and return the exit status.

    *words*: what follows ``check``.  Raises Failure for an unknown word and for files that can't be read.
    """
    unknown = [word for word in words if word not in ("--doctor", "--json")]
    if unknown:
        raise system.failure(f"check: unknown option: {unknown[0]}. Usage: postfix check [--doctor [--json]]")
    try:
        found = examine(Examination(system.config_directory, Host.read()))
    except ConfigError as error:
        raise system.failure(str(error)) from None
    shown = as_json(found, system.config_directory) if "--json" in words else as_text(found, color=_has_colors())
    sys.stdout.write(shown.encode("utf-8", "replace").decode())
    sys.stdout.flush()
    return max((_STATUS[finding.severity] for _, finding in found), default=0)


def _has_colors() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb" and not os.environ.get("NO_COLOR")


def examine(examination: Examination, names: Sequence[str] = tuple(CHECKS)) -> list[tuple[str, Finding]]:
    """Run the checks *names*; return each finding with the name of its check.

    What tables and restrictions would have logged meanwhile is not logged: the examined mail system has no part in it.
    """
    before = log.keep_apart([])
    try:
        return [(name, finding) for name in names for finding in dict.fromkeys(_findings(name, examination))]
    finally:
        log.keep_apart(before)


def _findings(name: str, examination: Examination) -> Iterator[Finding]:
    """Yield what one check finds; a configuration that it can't understand is a finding, too."""
    check: Callable[[Examination], Iterator[Finding]] = import_module(
        f"pyfix.commands.postfix.doctor.checks.{name}"
    ).check
    try:
        yield from check(examination)
    except (ConfigError, TableError, OSError) as error:
        reason = error.warnings[0] if isinstance(error, ConfigError) and error.warnings else str(error)
        yield Finding(
            Severity.NOTE,
            Place(examination.main_path),
            f"the check {name} could not be finished: {reason}",
            "Put right what is told of bad values, and ask again.",
        )
