from __future__ import annotations

from typing import Any

import pytest

from pyfix.access import dnsaccess
from pyfix.access.evaluate import Check, evaluate
from pyfix.access.stage import RECIPIENT
from pyfix.access.verdict import DUNNO, Reject
from pyfix.runtime.dns import Status
from pyfix.runtime.task import run_now

from .fakedns import give_dns, give_hosts
from .fakes import transaction

TABLE = "inline:{{192.0.2.1=REJECT address}, {bad.example=REJECT name}, good.example=OK, 192.0.2.2=DUNNO}"
KNOWN: dict[str, str | Status] = {
    "two.example/MX": "10 fine.example; 20 bad.example",
    "good.two.example/MX": "10 mx.good.example",
    "stops.example/MX": "10 second.example; 20 bad.example",
    "literal.example/MX": "10 192.0.2.1",
    "null.example/MX": Status.NULL_MX,
    "later.example/MX": Status.RETRY,
    "a.zone.example/NS": Status.NO_DATA,
    "zone.example/NS": "ns.bad.example",
}
HOSTS = {
    "fine.example": ["198.51.100.1"], "bad.example": ["198.51.100.2"], "alone.example": ["198.51.100.9", "192.0.2.1"],
    "second.example": ["192.0.2.2"],
}  # fmt: skip


def ask(monkeypatch: Any, restriction: str, **more: Any) -> tuple[str, list[str]]:
    lines: list[str] = []
    found = transaction(monkeypatch, lines, recipient="user@ours.example", **more)
    give_dns(found, KNOWN)
    give_hosts(monkeypatch, dnsaccess, HOSTS)
    check = Check(restriction, dnsaccess.RESTRICTIONS[restriction], TABLE)
    dnsaccess.open_server_table(found.policy, check)
    verdict = run_now(evaluate(found, RECIPIENT, (check,)))
    warnings = [line for line in lines if line.startswith("warning: ")]
    return (verdict.text if isinstance(verdict, Reject) else "" if verdict is DUNNO else "permitted"), warnings


@pytest.mark.parametrize(
    ("restriction", "helo", "text"),
    [
        ("check_helo_mx_access", "two.example", "name"),
        ("check_helo_mx_access", "alone.example", "address"),
        ("check_helo_mx_access", "literal.example", "address"),
        ("check_helo_mx_access", "stops.example", ""),
        ("check_helo_mx_access", "null.example", ""),
        ("check_helo_mx_access", "[192.0.2.1]", "address"),
        ("check_helo_mx_access", "[IPv6:::1]", ""),
        ("check_helo_mx_access", "[nonsense]", ""),
        ("check_helo_ns_access", "a.zone.example", "name"),
        ("check_helo_ns_access", "[192.0.2.1]", ""),
        ("check_helo_a_access", "alone.example", "address"),
        ("check_helo_a_access", "bad.example", ""),
        ("check_helo_a_access", "nowhere.example", ""),
        ("check_helo_a_access", "192.0.2.1", "address"),
        ("check_helo_a_access", None, ""),
    ],
)
def test_what_is_asked(monkeypatch: Any, restriction: str, helo: str | None, text: str) -> None:
    found, warnings = ask(monkeypatch, restriction, helo=helo)
    assert found == (f"<{helo}>: Helo command rejected: {text}" if text else "")
    assert warnings == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("client", "<bad.example[198.51.100.7]>: Client host"), ("reverse_client_hostname", "<bad.example>: Unverified Client host"),
        ("helo", "<bad.example>: Helo command"), ("sender", "<a@bad.example>: Sender address"),
        ("recipient", "<user@ours.example>: Recipient address"),
    ],
)  # fmt: skip
def test_about_whom(monkeypatch: Any, name: str, shown: str) -> None:
    monkeypatch.setitem(KNOWN, "ours.example/MX", "1 bad.example")
    found, _ = ask(monkeypatch, f"check_{name}_mx_access", name="bad.example", helo="bad.example", sender="a@bad.example")
    assert found == f"{shown} rejected: name"


def test_what_the_log_is_told(monkeypatch: Any) -> None:
    assert ask(monkeypatch, "check_helo_mx_access", helo="later.example")[1] == [
        "warning: Unable to look up MX host for later.example: retry"
    ]
    assert ask(monkeypatch, "check_helo_ns_access", helo="x.nowhere.example")[1] == [
        "warning: Unable to look up NS host for x.nowhere.example: not_found"
    ]
    monkeypatch.setitem(KNOWN, "gone.example/MX", "1 gone.example")
    assert ask(monkeypatch, "check_helo_mx_access", helo="gone.example")[1] == [
        "warning: Unable to look up MX host gone.example for Helo command gone.example: Name or service not known"
    ]


def test_a_table_may_not_permit(monkeypatch: Any) -> None:
    found, warnings = ask(monkeypatch, "check_sender_mx_access", sender="a@good.two.example")
    assert found == "Server configuration error"
    assert warnings == [
        "warning: restriction check_sender_mx_access returns OK for a@good.two.example",
        "warning: this is not allowed for security reasons",
        "warning: use DUNNO instead of OK if you want to make an exception",
    ]


def test_a_client_without_a_name_is_not_asked_about(monkeypatch: Any) -> None:
    assert ask(monkeypatch, "check_client_a_access", name="unknown") == ("", [])
