"""Values that a program would refuse to start with."""

from __future__ import annotations

from collections.abc import Iterator

from pyfix.commands.postfix.doctor.examination import Examination, Service
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.commands.postfix.doctor.parameter_names import KnownNames
from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot

__all__ = ["check"]


def check(examination: Examination) -> Iterator[Finding]:
    """Convert each value that is set as the program does that reads it."""
    known = KnownNames(examination)
    for name in examination.lines:
        yield from _check(examination, known, name, examination.snapshot, None)
    for service in examination.services:
        for name in service.overrides:
            yield from _check(examination, known, name, service.snapshot, service)


def _check(
    examination: Examination, known: KnownNames, name: str, snapshot: Snapshot, service: Service | None
) -> Iterator[Finding]:
    parameter = known.builtin.get(name) or known.of_services.get(name)
    try:
        if parameter is None:
            snapshot.value(name)
        else:
            parameter.read(snapshot)
    except ConfigError as error:
        default = snapshot.default(name)
        yield Finding(
            Severity.ERROR,
            examination.place(name, service),
            f"{name}: {error.warnings[0] if error.warnings else error}",
            "A program that reads it ends with this message, and starts no more until it is right.",
            (examination.assignment(name, default, service),) if default else (),
        )
