"""Words of restriction lists that mean nothing, or not what they once meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination, Service
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.commands.postfix.doctor.nearest import nearest
from pyfix.commands.postfix.doctor.restriction_words import ARGUMENT, KNOWN, RENAMED, WITHOUT_EFFECT, Item, items, lists
from pyfix.config.errors import ConfigError
from pyfix.config.parameter import split_words
from pyfix.config.snapshot import Snapshot

__all__ = ["check"]

_WITHOUT_TABLES: Final = ("smtpd_data_restrictions", "smtpd_end_of_data_restrictions")


def check(examination: Examination) -> Iterator[Finding]:
    """Look at each list of main.cf, and at those that a service has of its own."""
    for service, snapshot in examination.scopes("smtpd"):
        try:
            here = list(lists(snapshot))
        except ConfigError:
            continue
        for name, value in here:
            if service is None or name in service.overrides:
                found = items(value)
                for item in found:
                    yield from _check_item(examination, service, snapshot, name, item, found)


def _check_item(
    examination: Examination,
    service: Service | None,
    snapshot: Snapshot,
    name: str,
    item: Item,
    found: Sequence[Item],
) -> Iterator[Finding]:
    def corrected(text: str) -> tuple[str]:
        """Return the list with *text* in the place of the item."""
        prefix = "warn_if_reject " if item.warns else ""
        words = [prefix + text if one is item else one.whole for one in found]
        return (examination.assignment(name, ", ".join(words), service),)

    word = item.name.lower()
    place = examination.place(name, service, item.name)
    classes = split_words(snapshot.value("smtpd_restriction_classes"))
    if item.name in classes:
        return
    if word in WITHOUT_EFFECT:
        yield Finding(
            Severity.WARNING,
            place,
            f"{name}: {item.name} has no effect any more",
            "It was removed in Postfix 3.9: smtpd(8) logs a warning and goes on with the next restriction.",
            corrected(WITHOUT_EFFECT[word]),
        )
    elif word == "permit_mx_backup":
        yield Finding(
            Severity.WARNING,
            place,
            f"{name}: permit_mx_backup will be removed",
            "It lets everybody relay through this host whose MX records name it. List the domains instead.",
            ("relay_domains = example.com example.net",),
        )
    elif word in RENAMED:
        yield Finding(
            Severity.NOTE,
            place,
            f"{name}: {item.name} is the old name of {RENAMED[word]}",
            "It still works; documentation speaks of the new name only.",
            corrected(f"{RENAMED[word]} {item.argument}".rstrip()),
        )
    elif word in ARGUMENT:
        yield from _check_argument(examination, service, name, item, corrected)
    elif word not in KNOWN and not (":" in item.name and name not in _WITHOUT_TABLES):
        meant = nearest(word, (*KNOWN, *classes))
        yield Finding(
            Severity.ERROR,
            place,
            f"{name}: there is no restriction {item.name}" + (f"; {meant}?" if meant else ""),
            "smtpd(8) answers each request that comes as far with 451 4.3.5 Server configuration error.",
            corrected(meant) if meant else (),
        )


def _check_argument(
    examination: Examination,
    service: Service | None,
    name: str,
    item: Item,
    corrected: Callable[[str], tuple[str]],
) -> Iterator[Finding]:
    word, argument = item.name.lower(), item.argument
    place = examination.place(name, service, item.name)
    if word == "sleep":
        return
    if not argument or argument.lower() in KNOWN:
        yield Finding(
            Severity.ERROR,
            place,
            f"{name}: {item.name} lacks its argument" + (f" and takes {argument} for it" if argument else ""),
            "The word after it belongs to it, whatever that is: a restriction taken for an argument is not asked.",
            corrected(f"{item.name} {_example(word)}" + (f", {argument}" if argument else "")),
        )
    elif word.endswith("_access") and ":" not in argument:
        yield Finding(
            Severity.ERROR,
            place,
            f"{name}: {item.text}: a table is type:name",
            "smtpd(8) answers each request that comes as far with 451 4.3.5 Server configuration error.",
            corrected(f"{item.name} hash:{argument if argument.startswith('/') else f'/etc/postfix/{argument}'}"),
        )


def _example(word: str) -> str:
    if word == "check_policy_service":
        return "inet:127.0.0.1:10023"
    return "hash:/etc/postfix/access" if word.endswith("_access") else "dnsbl.example.org"
