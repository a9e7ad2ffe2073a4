"""Old defaults that are in effect because compatibility_level asks for them.

Source: COMPATIBILITY_README.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.config import catalogue
from pyfix.formats.macros import compare_levels

__all__ = ["check"]

_TODAY: Final = "3.6"
"""The last level whose defaults are worth a change of an old file; later ones concern TLS details."""


def check(examination: Examination) -> Iterator[Finding]:
    """Compare each default that depends on the level with that of _TODAY."""
    snapshot = examination.snapshot
    level = snapshot.value("compatibility_level")
    if compare_levels(level, _TODAY) >= 0:
        return
    today = snapshot.with_overrides([("compatibility_level", _TODAY)])
    differing = [
        name
        for name, parameter in catalogue.all_parameters().items()
        if isinstance(parameter.default, str)
        and "<level" in parameter.default
        and "compatibility_level" in parameter.default
        and not examination.is_set(name)
        and snapshot.value(name) != today.value(name)
    ]
    in_jail = [service.entry.name for service in examination.services if service.entry.chroot_by_default]
    if not differing and not in_jail:
        return
    lines = [f"{name} = {snapshot.value(name)}" for name in sorted(differing)]
    what = [f"{name} = {snapshot.value(name) or '(empty)'}" for name in sorted(differing)]
    if in_jail:
        what.append(f"chroot for {len(in_jail)} services with `-' in master.cf")
    yield Finding(
        Severity.NOTE,
        examination.place("compatibility_level"),
        f"defaults of old versions are in effect: {'; '.join(what)}",
        f"compatibility_level is {level}, which keeps an old configuration working as it did. Write down the old "
        "defaults that you want to keep (the other lines), and raise the level.",
        (f"compatibility_level = {_TODAY}", *lines),
    )
