"""Restrictions that are never asked, because one before them decides about everybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination, Service
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.commands.postfix.doctor.restriction_words import ARGUMENT, Item, items, lists
from pyfix.config.errors import ConfigError
from pyfix.config.parameter import split_words
from pyfix.config.snapshot import Snapshot

__all__ = ["check"]

_FINAL: Final = ("permit", "reject", "defer")
_STATIC_FINAL: Final = ("ok", "relay", "reject", "defer", "permit", "discard")
_OF_USERS: Final = ("reject_authenticated_sender_login_mismatch", "reject_known_sender_login_mismatch")
_DEEPEST: Final = 20


def check(examination: Examination) -> Iterator[Finding]:
    """Look at each list of main.cf, and at those that a service has of its own."""
    for service, snapshot in examination.scopes("smtpd"):
        try:
            found = list(lists(snapshot))
        except ConfigError:
            continue
        for name, value in found:
            if service is None or name in service.overrides:
                yield from _check_list(examination, service, snapshot, name, items(value))


def _check_list(
    examination: Examination, service: Service | None, snapshot: Snapshot, name: str, found: Sequence[Item]
) -> Iterator[Finding]:
    for position, item in enumerate(found[:-1]):
        if item.warns or not _decides(item, snapshot, 0):
            continue
        rest = ", ".join(later.text for later in found[position + 1 :])
        yield Finding(
            Severity.WARNING,
            examination.place(name, service, found[position + 1].name),
            f"{name}: nothing after `{item.text}' is ever asked: {rest}",
            f"`{item.text}' decides about every request that comes as far, so the list ends there.",
            (
                examination.assignment(
                    name, ", ".join(one.whole for one in (*found[:position], *found[position + 1 :], item)), service
                ),
            ),
        )
        return
    yield from _check_users(examination, service, name, found)


def _check_users(
    examination: Examination, service: Service | None, name: str, found: Sequence[Item]
) -> Iterator[Finding]:
    """Find checks of a user's sender address that stand behind the permission for users."""
    names = [item.name.lower() for item in found]
    if "permit_sasl_authenticated" not in names:
        return
    permit = names.index("permit_sasl_authenticated")
    for item in found[permit + 1 :]:
        if item.name.lower() in _OF_USERS:
            moved = [one for one in found if one is not item]
            moved.insert(permit, item)
            yield Finding(
                Severity.WARNING,
                examination.place(name, service, item.name),
                f"{name}: {item.name} stands after permit_sasl_authenticated",
                "It is about users who have logged in, and those are permitted before it is asked: they may use any "
                "sender address.",
                (examination.assignment(name, ", ".join(one.whole for one in moved), service),),
            )


def _decides(item: Item, snapshot: Snapshot, depth: int) -> bool:
    """Say whether an item decides about everybody: permit and its kin, a class with one, a table that always does."""
    name = item.name.lower()
    if name in _FINAL:
        return True
    if name in ARGUMENT and item.argument.lower().startswith("static:"):
        value = item.argument.partition(":")[2].strip("{} ").lower()
        return name.startswith("check_") and name != "check_policy_service" and value in _STATIC_FINAL
    if depth < _DEEPEST and item.name in split_words(snapshot.value("smtpd_restriction_classes")):
        return any(
            not inner.warns and _decides(inner, snapshot, depth + 1) for inner in items(snapshot.value(item.name))
        )
    return False
