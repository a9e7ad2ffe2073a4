"""Limits of size that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.config.errors import ConfigError
from pyfix.config.parameter import parse_integer
from pyfix.config.snapshot import Snapshot

__all__ = ["check"]

_LARGEST = 2**63 - 1


def check(examination: Examination) -> Iterator[Finding]:
    """Compare the largest message with the largest mailbox file of local(8) and of virtual(8)."""
    snapshot = examination.snapshot
    virtual = snapshot.value("virtual_transport").partition(":")[0] == "virtual" and bool(
        snapshot.value("virtual_mailbox_domains") or snapshot.value("virtual_mailbox_maps")
    )
    for name, program, used in (
        ("mailbox_size_limit", "local", bool(snapshot.value("mydestination")) and any(examination.of_program("local"))),
        ("virtual_mailbox_limit", "virtual", virtual),
    ):
        message, mailbox = _number(snapshot, "message_size_limit"), _number(snapshot, name)
        if not used or message is None or not mailbox or (message and message <= mailbox):
            continue
        yield Finding(
            Severity.ERROR,
            examination.place(name if examination.is_set(name) else "message_size_limit"),
            f"message_size_limit ({message or 'none'}) is larger than {name} ({mailbox})",
            f"{program}(8) refuses to run with such limits: no mail is delivered to mailboxes of this host.",
            (f"{name} = 0",) if not message else (f"{name} = {max(mailbox, message)}",),
        )


def _number(snapshot: Snapshot, name: str) -> int | None:
    try:
        return parse_integer(name, snapshot.value(name), _LARGEST)
    except ConfigError:
        return None  # bad_values tells
