"""Names that nothing reads, mostly misspelt ones, and ``$names`` that nobody sets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination, Service
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.commands.postfix.doctor.nearest import nearest
from pyfix.commands.postfix.doctor.parameter_names import KnownNames

__all__ = ["check"]

_PLAIN_REFERENCE: Final = re.compile(r"(?<!\$)\$(?:\{(\w+)\}|\((\w+)\)|(\w+))")


def check(examination: Examination) -> Iterator[Finding]:
    """Look at each name that is set, and at each that a value refers to."""
    known = KnownNames(examination)
    for name in examination.lines:
        yield from _check_name(examination, known, name, None)
    for service in examination.services:
        for name in service.overrides:
            yield from _check_name(examination, known, name, service)


def _check_name(examination: Examination, known: KnownNames, name: str, service: Service | None) -> Iterator[Finding]:
    value = (examination.snapshot.raw(name) or "") if service is None else service.overrides[name]
    if not known.has(name):
        yield _unknown(examination, known, name, value, service)
    parameter = known.builtin.get(name)
    if parameter is not None and not parameter.expanded:
        return
    for match in _PLAIN_REFERENCE.finditer(value):
        other = next(group for group in match.groups() if group)
        if other in known.builtin or other in examination.lines or (service is not None and other in service.overrides):
            continue
        if service is None and any(other in one.overrides for one in examination.services):
            continue
        if examination.snapshot.default(other) is not None or other in ("process_id", "process_name", "service_name"):
            continue
        meant = nearest(other, (*known.builtin, *examination.lines))
        yield Finding(
            Severity.WARNING if meant else Severity.NOTE,
            examination.place(name, service, match[0]),
            f"{name} refers to ${other}, which nobody sets" + (f"; ${meant}?" if meant else ""),
            "It stands for nothing at all; the value is what remains without it.",
            (examination.assignment(name, value.replace(match[0], f"${meant}"), service),) if meant else (),
        )


def _unknown(examination: Examination, known: KnownNames, name: str, value: str, service: Service | None) -> Finding:
    place = examination.place(name, service)
    transport = known.service_of(name)
    if transport and not any(one.entry.name == transport for one in examination.services):
        meant = nearest(transport, {one.entry.name for one in examination.services})
        suffix = name.removeprefix(transport)
        return Finding(
            Severity.NOTE,
            place,
            f"{name}: master.cf has no service {transport}" + (f"; {meant}?" if meant else ""),
            "The parameter is about the deliveries of a service of this name.",
            (examination.assignment(meant + suffix, value, service),) if meant else (),
        )
    meant = nearest(name, known.builtin)
    if meant:
        return Finding(
            Severity.WARNING,
            place,
            f"there is no parameter {name}; {meant}?",
            "Nothing reads a parameter of this name, so what it says has no effect.",
            (f"{meant} = {value}" if service is None else f"  -o {meant}={value}",),
        )
    return Finding(
        Severity.NOTE,
        place,
        f"nothing reads {name}",
        "It is no parameter of Postfix, and no other value refers to it.",
    )
