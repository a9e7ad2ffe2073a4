"""Lookup tables that are missing, can't be read, are older than their source, or of a type that does not exist."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.commands.postfix.doctor.nearest import nearest
from pyfix.commands.postfix.doctor.table_references import INDEXED, KINDS, Reference, is_cache, references
from pyfix.config.errors import ConfigError
from pyfix.config.parameter import split_words

__all__ = ["check"]

_TABLE_LISTS: Final = re.compile(r"(_maps|_map|_database|_checks|_clientcerts)$")
_WORD: Final = re.compile(r"(?P<kind>[A-Za-z0-9_-]+):")
_GRACE: Final = 1.0
"""Seconds that a source may be newer: both were written in one go."""


def check(examination: Examination) -> Iterator[Finding]:
    """Look at the files of each table, once a table."""
    seen: set[str] = set()
    for reference in references(examination):
        if reference.text in seen or is_cache(reference.parameter):
            continue
        seen.add(reference.text)
        yield from _check_files(reference)
    yield from _check_types(examination)


def _check_files(reference: Reference) -> Iterator[Finding]:
    source, indexed = _changed(reference.source), _changed(reference.indexed) if reference.indexed else None
    named = f"{reference.parameter}: {reference.text}"
    fails = "Each lookup fails, and mail that needs one is put off with a temporary error."
    asked = reference.indexed or reference.source
    if os.path.isfile(asked) and not os.access(asked, os.R_OK):  # in a system of an ordinary user: root may read all
        what = f"{named}: {asked} can't be read by the user of this mail system"
        yield Finding(Severity.ERROR, reference.place, what, fails)
        return
    if reference.indexed:
        if indexed is None and os.path.isdir(reference.source):
            return
        if indexed is None:
            made = "has not been made from it" if source is not None else "and its source are missing"
            yield Finding(
                Severity.ERROR, reference.place, f"{named}: {reference.indexed} {made}", fails, (reference.build,)
            )
        elif source is not None and source > indexed + _GRACE:
            yield Finding(
                Severity.WARNING,
                reference.place,
                f"{named}: {reference.source} was changed after the table was made from it",
                "The programs look into the table, not into its source: they do not know of the change.",
                (reference.build,),
            )
    elif source is None:
        yield Finding(
            Severity.ERROR,
            reference.place,
            f"{named}: {reference.source} is missing",
            fails,
        )


def _changed(path: str) -> float | None:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None


def _check_types(examination: Examination) -> Iterator[Finding]:
    """Find ``hsah:/etc/aliases`` in the parameters that are lists of tables."""
    scopes = [(None, name, examination.snapshot) for name in examination.lines]
    scoped = [(one, name, one.snapshot) for one in examination.services for name in one.overrides]
    for service, name, snapshot in (*scopes, *scoped):
        if _TABLE_LISTS.search(name) is None or name.endswith("_restrictions"):
            continue
        try:
            words = split_words(snapshot.value(name))
        except ConfigError:
            continue
        for word in words:
            match = _WORD.match(word)
            if match is None or match["kind"] in KINDS:
                continue
            meant = nearest(match["kind"], (*KINDS, *INDEXED))
            yield Finding(
                Severity.ERROR,
                examination.place(name, service, word),
                f"{name}: there is no type of table {match['kind']}" + (f"; {meant}?" if meant else ""),
                "The table can't be opened; each lookup fails.",
                (
                    examination.assignment(
                        name, snapshot.value(name).replace(word, meant + word[len(match["kind"]) :]), service
                    ),
                )
                if meant
                else (),
            )
