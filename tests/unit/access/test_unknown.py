from __future__ import annotations

from typing import Any

import pytest

from pyfix.access import unknown
from pyfix.access.evaluate import Check
from pyfix.access.general import permit
from pyfix.access.stage import SENDER
from pyfix.access.transaction import NAME_PERMANENT, NAME_TEMPORARY
from pyfix.access.verdict import DUNNO, DeferIfPermit, Reject
from pyfix.runtime.dns import Status
from pyfix.runtime.task import run_now

from .fakedns import give_dns
from .fakes import transaction

CHECK = Check("x", permit)


@pytest.mark.parametrize(("status", "code"), [(NAME_PERMANENT, 550), (NAME_TEMPORARY, 450)])
def test_clients_without_a_name(monkeypatch: Any, status: int, code: int) -> None:
    found = transaction(monkeypatch, name="unknown", unknown_client_reject_code="550")
    found.client.name_status = found.client.reverse_status = status
    verdict = unknown.reject_unknown_client_hostname(found, SENDER, CHECK)
    assert isinstance(verdict, Reject)
    assert verdict.reply == f"{code} {code // 100}.7.25 Client host rejected: cannot find your hostname, [198.51.100.7]"
    verdict = unknown.reject_unknown_reverse_client_hostname(found, SENDER, CHECK)
    assert isinstance(verdict, Reject) and verdict.status == f"{code // 100}.7.1"


def test_clients_with_a_name(monkeypatch: Any) -> None:
    found = transaction(monkeypatch)
    assert unknown.reject_unknown_client_hostname(found, SENDER, CHECK) is DUNNO
    assert unknown.reject_unknown_reverse_client_hostname(found, SENDER, CHECK) is DUNNO


@pytest.mark.parametrize(
    ("known", "reply"),
    [
        ({"h.example/A": "192.0.2.1"}, ""),
        ({"h.example/MX": "1 m.example"}, ""),
        ({"h.example/MX": Status.NULL_MX}, ""),
        ({}, "450 4.7.1 <h.example>: Helo command rejected: Host not found"),
        ({"h.example/A": Status.RETRY}, "450 4.7.1 <h.example>: Helo command rejected: Host not found"),
    ],
)  # fmt: skip
def test_names_of_helo(monkeypatch: Any, known: dict[str, str | Status], reply: str) -> None:
    for action in ("defer", "defer_if_permit"):
        found = transaction(monkeypatch, helo="h.example", reject_tempfail_action=action)
        give_dns(found, known)
        verdict = run_now(unknown.reject_unknown_helo_hostname(found, SENDER, CHECK))
        if Status.RETRY in known.values():
            assert isinstance(verdict, DeferIfPermit) is (action == "defer_if_permit")
        reject = verdict.reject if isinstance(verdict, DeferIfPermit) else verdict
        assert (reject.reply if isinstance(reject, Reject) else "") == reply


@pytest.mark.parametrize(
    ("known", "sender", "recipient"),
    [
        ({"d.example/MX": "1 m.example"}, "", ""),
        ({"d.example/AAAA": "::1"}, "", ""),
        ({}, "550 5.1.8 {s} Domain not found", "550 5.1.2 {r} Domain not found"),
        ({"d.example/MX": Status.INVALID, "d.example/A": "192.0.2.1"}, "550 5.1.8 {s} Malformed DNS server reply", "550 5.1.2 {r} Malformed DNS server reply"),
        ({"d.example/MX": Status.POLICY, "d.example/A": Status.NO_DATA}, "", ""),
        ({"d.example/MX": Status.NULL_MX, "d.example/A": "192.0.2.1"}, "550 5.7.27 {s} Domain d.example does not accept mail (nullMX)", "556 5.1.10 {r} Domain d.example does not accept mail (nullMX)"),
        ({"d.example/MX": Status.RETRY}, "450 4.1.8 {s} Domain not found", "450 4.1.2 {r} Domain not found"),
    ],
)  # fmt: skip
def test_domains_of_addresses(monkeypatch: Any, known: dict[str, str | Status], sender: str, recipient: str) -> None:
    main = {"unknown_address_reject_code": "550", "unknown_address_tempfail_action": "defer"}
    found = transaction(monkeypatch, sender="a@d.example", recipient="a@d.example", **main)
    give_dns(found, known)
    for restriction, text in (
        (unknown.reject_unknown_sender_domain, sender),
        (unknown.reject_unknown_recipient_domain, recipient),
    ):
        verdict = run_now(restriction(found, SENDER, CHECK))
        expected = text.format(
            s="<a@d.example>: Sender address rejected:", r="<a@d.example>: Recipient address rejected:"
        )
        assert (verdict.reply if isinstance(verdict, Reject) else "") == expected


@pytest.mark.parametrize("address", ["", "user@ours.example", "a@[192.0.2.1]", None])
def test_addresses_that_need_no_dns(monkeypatch: Any, address: str | None) -> None:
    found = transaction(monkeypatch, sender=address, recipient=address or None)
    dns = give_dns(found, {})
    assert run_now(unknown.reject_unknown_sender_domain(found, SENDER, CHECK)) is DUNNO
    assert run_now(unknown.reject_unknown_recipient_domain(found, SENDER, CHECK)) is DUNNO
    assert dns.asked == []


def test_names_of_helo_that_need_no_dns(monkeypatch: Any) -> None:
    found = transaction(monkeypatch)
    assert run_now(unknown.reject_unknown_helo_hostname(found, SENDER, CHECK)) is DUNNO
    found.helo_name = "[192.0.2.1]"
    assert run_now(unknown.reject_unknown_helo_hostname(found, SENDER, CHECK)) is DUNNO
    found.helo_name = "[192.0.2]"
    assert isinstance(run_now(unknown.reject_unknown_helo_hostname(found, SENDER, CHECK)), Reject)
