"""Domains that are in more than one address class.

Source: ADDRESS_CLASS_README.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.config.errors import ConfigError
from pyfix.config.main_cf import read_text
from pyfix.config.parameter import split_words
from pyfix.formats.domain import is_hostname
from pyfix.tables.source import open_table
from pyfix.tables.table import TableError

__all__ = ["check"]

_CLASSES: Final = ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains")
"""In the order in which they are asked; the first one that has a domain wins."""
_READABLE: Final = ("hash", "btree", "cdb", "lmdb", "texthash", "inline")
_MOST_KEYS: Final = 20000
_MOST_SHOWN: Final = 5


def check(examination: Examination) -> Iterator[Finding]:
    """Compare the lists two by two, with what their tables have."""
    names = {parameter: _domains(examination, parameter) for parameter in _CLASSES}
    if not examination.is_set("relay_domains"):
        names["relay_domains"] = {}  # its old default has mydestination in it, and that is meant
    for position, first in enumerate(_CLASSES):
        for second in _CLASSES[position + 1 :]:
            both = [name for name in names[first] if name in names[second]]
            if both:
                yield _finding(examination, first, second, both, names[second][both[0]])


def _finding(examination: Examination, first: str, second: str, both: list[str], word: str) -> Finding:
    shown = ", ".join(both[:_MOST_SHOWN]) + (", ..." if len(both) > _MOST_SHOWN else "")
    own = examination.snapshot.value("myhostname").lower() in both and first == "mydestination"
    harmless = (first, second) == ("mydestination", "relay_domains")
    origin = first if examination.is_set(first) else second
    rest = [other for other in split_words(examination.snapshot.value(first)) if other.lower() not in both]
    return Finding(
        Severity.NOTE if harmless else Severity.WARNING,
        examination.place(origin, None, word if origin == second else both[0]),
        f"{shown} {'are' if len(both) > 1 else 'is'} in both {first} and {second}",
        f"{first} is asked first, so {second} has no effect for it"
        + ("." if harmless else ": addresses that only the other class knows are refused as unknown users.")
        + (" mydestination has it by way of $myhostname." if own else ""),
        (examination.assignment(first, ", ".join(rest)),) if first == "mydestination" else (),
    )


def _domains(examination: Examination, parameter: str) -> dict[str, str]:
    """Return the names that a list has, each with the word of the list that has it."""
    found: dict[str, str] = {}
    try:
        words = split_words(examination.snapshot.value(parameter))
    except ConfigError:
        return found
    for word in words:
        kind, colon, _ = word.removeprefix("proxy:").partition(":")
        if word.startswith("/"):
            for name in _in_file(word):
                found.setdefault(name.lower(), word)
        elif not colon:
            if is_hostname(word):
                found.setdefault(word.lower(), word)
        elif kind in _READABLE:
            for key in _keys(examination, word.removeprefix("proxy:")):
                if "@" not in key and "." in key and is_hostname(key):
                    found.setdefault(key.lower(), word)
    return found


def _in_file(path: str) -> list[str]:
    try:
        lines = read_text(path).splitlines()
    except ConfigError:
        return []  # smtpd and trivial-rewrite tell of it
    return [word for line in lines if not line.startswith("#") for word in split_words(line) if is_hostname(word)]


def _keys(examination: Examination, reference: str) -> Iterator[str]:
    try:
        table = open_table(reference, examination.snapshot, share=False)
        for count, (key, _) in enumerate(table.items()):  # type: ignore[attr-defined]  # these types have it
            if count >= _MOST_KEYS:
                break
            yield key
    except TableError:
        return  # the check of tables tells of it
