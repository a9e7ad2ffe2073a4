from __future__ import annotations

from typing import Any

import pytest

from pyfix.access import mxbackup
from pyfix.access.evaluate import Check
from pyfix.access.general import permit
from pyfix.access.stage import RECIPIENT
from pyfix.access.verdict import DUNNO, PERMIT, DeferIfReject
from pyfix.runtime.dns import Status
from pyfix.runtime.task import run_now

from .fakedns import give_dns, give_hosts
from .fakes import transaction

CHECK = Check("permit_mx_backup", permit)
KNOWN: dict[str, str | Status] = {
    "byname.example/MX": "10 first.example; 20 mail.ours.example",
    "byaddress.example/MX": "10 first.example; 20 us.example",
    "others.example/MX": "10 first.example; 10 third.example",
    "lost.example/MX": "10 nowhere.example",
    "later.example/MX": Status.RETRY,
    "null.example/MX": Status.NULL_MX,
}
HOSTS = {"first.example": ["203.0.113.1"], "us.example": ["127.0.0.1"], "third.example": ["203.0.114.1"]}


def ask(monkeypatch: Any, recipient: str | None, lines: list[str] | None = None, **main: str) -> str:
    found = transaction(monkeypatch, lines, sender="s@x", recipient=recipient, **main)
    give_dns(found, KNOWN)
    give_hosts(monkeypatch, mxbackup, HOSTS)
    verdict = run_now(mxbackup.permit_mx_backup(found, RECIPIENT, CHECK))
    return verdict.reject.reply if isinstance(verdict, DeferIfReject) else {PERMIT: "permit", DUNNO: ""}[verdict]


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("u@byname.example", "permit"),
        ("u@byaddress.example", "permit"),
        ("u@others.example", ""),
        ("u@null.example", ""),
        ("u@nowhere.example", ""),
        ("user@ours.example", "permit"),
        ("a%byname.example@ours.example", ""),
        ("u@[127.0.0.1]", ""),
        (None, ""),
    ],
)
def test_destinations(monkeypatch: Any, recipient: str | None, expected: str) -> None:
    assert ask(monkeypatch, recipient) == expected


def test_what_can_not_be_found_out_now(monkeypatch: Any) -> None:
    begin = "450 4.4.4 <u@{}>: Recipient address rejected: Unable to look up"
    assert ask(monkeypatch, "u@later.example") == begin.format("later.example") + " mail exchanger information: retry"
    assert ask(monkeypatch, "u@lost.example") == (
        begin.format("lost.example") + " mail exchanger host nowhere.example: Name or service not known"
    )


def test_networks_of_the_primary_ones(monkeypatch: Any) -> None:
    assert ask(monkeypatch, "u@byname.example", permit_mx_backup_networks="203.0.113.0/24") == "permit"
    assert ask(monkeypatch, "u@byname.example", permit_mx_backup_networks="203.0.114.0/24") == ""
    assert ask(monkeypatch, "u@byname.example", permit_mx_backup_networks="hash:/nowhere").endswith(
        "Unable to verify host first.example as mail exchanger"
    )
    monkeypatch.setitem(KNOWN, "byname.example/MX", "20 mail.ours.example; 10 nowhere.example")
    assert ask(monkeypatch, "u@byname.example", permit_mx_backup_networks="203.0.114.0/24").endswith(
        "Unable to look up host nowhere.example as mail exchanger: Name or service not known"
    )
    monkeypatch.setitem(KNOWN, "byname.example/MX", "10 nowhere.example; 20 mail.ours.example")
    assert ask(monkeypatch, "u@byname.example") == "permit"
    assert ask(monkeypatch, "u@byname.example", permit_mx_backup_networks="203.0.114.0/24").endswith(
        "Unable to look up mail exchanger host nowhere.example: Name or service not known"
    )


def test_it_will_go(monkeypatch: Any) -> None:
    lines: list[str] = []
    ask(monkeypatch, "u@null.example", lines)
    assert lines == [
        'warning: support for restriction "permit_mx_backup" will be removed from Postfix; '
        'instead, specify "relay_domains"'
    ]
