from __future__ import annotations

from typing import Any

import pytest

from pyfix.access import general
from pyfix.access.evaluate import Check
from pyfix.access.stage import CLIENT, DATA, END_OF_DATA, RECIPIENT, SENDER, Stage
from pyfix.access.transaction import LookupFailed
from pyfix.access.verdict import DUNNO, PERMIT, DeferIfPermit, DeferIfReject, Reject
from pyfix.runtime.task import run_now

from .fakes import transaction

CHECK = Check("x", general.permit)
ME = {"sender": "s@x", "recipient": "user@ours.example"}


@pytest.mark.parametrize(
    ("function", "reply"),
    [
        (general.reject, "554 5.7.1 <user@ours.example>: Recipient address rejected: Access denied"),
        (general.defer, "450 4.3.2 <user@ours.example>: Recipient address rejected: Try again later"),
    ],
)  # fmt: skip
def test_refusals(monkeypatch: Any, function: Any, reply: str) -> None:
    verdict = function(transaction(monkeypatch, **ME), RECIPIENT, CHECK)
    assert isinstance(verdict, Reject) and verdict.reply == reply


def test_codes(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, **ME, reject_code="521", defer_code="421")
    replies = [function(found, RECIPIENT, CHECK).reply for function in (general.reject, general.defer)]
    assert [reply.split(" <")[0] for reply in replies] == ["521 5.7.1", "421 4.3.2"]


def test_conditions(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, **ME)
    assert isinstance(general.defer_if_permit(found, RECIPIENT, CHECK), DeferIfPermit)
    assert isinstance(general.defer_if_reject(found, RECIPIENT, CHECK), DeferIfReject)


def test_pipelining(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, **ME)
    assert general.reject_unauth_pipelining(found, DATA, CHECK) is DUNNO
    found.ill_pipelining = True
    verdict = general.reject_unauth_pipelining(found, DATA, CHECK)
    text = "503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining"
    assert isinstance(verdict, Reject) and verdict.reply == text


@pytest.mark.parametrize(
    ("sender", "accepted", "stage", "refused"),
    [
        ("", 0, RECIPIENT, False), ("", 1, RECIPIENT, True), ("s@x", 5, RECIPIENT, False), ("", 1, DATA, False),
        ("", 2, DATA, True), ("", 2, END_OF_DATA, True), ("", 5, SENDER, False), ("", 5, CLIENT, False),
    ],
)  # fmt: skip
def test_bounces_with_several_recipients(monkeypatch: Any, sender: str, accepted: int, stage: Stage, refused: bool) -> None:
    found = transaction(monkeypatch, sender=sender, recipient="r@x")
    found.accepted = accepted
    verdict = general.reject_multi_recipient_bounce(found, stage, CHECK)
    assert isinstance(verdict, Reject) is refused
    if isinstance(verdict, Reject):
        assert verdict.reply.startswith("550 5.5.3 <") and verdict.reply.endswith("rejected: Multi-recipient bounce")


@pytest.mark.parametrize(("address", "ours"), [("192.0.2.1", True), ("192.0.3.1", False), ("127.0.0.1", False)])
def test_networks(monkeypatch: Any, address: str, ours: bool) -> None:
    found = transaction(monkeypatch, address=address)
    assert (general.permit_mynetworks(found, CLIENT, CHECK) is PERMIT) is ours


def test_networks_that_cannot_be_asked(monkeypatch: Any) -> None:
    with pytest.raises(LookupFailed, match="Temporary lookup failure"):
        general.permit_mynetworks(transaction(monkeypatch, mynetworks="fail:x"), CLIENT, CHECK)


def test_own_addresses_are_those_of_the_connection(monkeypatch: Any) -> None:
    """XCLIENT does not make anybody one of us."""
    found = transaction(monkeypatch, address="127.0.0.1")
    assert general.permit_inet_interfaces(found, CLIENT, CHECK) is PERMIT
    found.client.connected_from = "198.51.100.7"
    assert general.permit_inet_interfaces(found, CLIENT, CHECK) is DUNNO


def test_login(monkeypatch: Any) -> None:
    found = transaction(monkeypatch)
    assert general.permit_sasl_authenticated(found, CLIENT, CHECK) is DUNNO
    found.sasl_username = "joe"
    assert general.permit_sasl_authenticated(found, CLIENT, CHECK) is PERMIT


@pytest.mark.parametrize(("argument", "slept"), [("3", [3]), ("0", [0]), ("x", []), ("", []), ("-1", []), ("³", [])])
def test_sleep(monkeypatch: Any, argument: str, slept: list[int]) -> None:
    found: list[int] = []

    async def pause(seconds: int) -> None:
        found.append(seconds)

    monkeypatch.setattr(general, "pause", pause)
    lines: list[str] = []
    verdict = run_now(general.sleep(transaction(monkeypatch, lines), CLIENT, Check("sleep", general.sleep, argument)))
    assert found == slept
    if slept:
        assert verdict is DUNNO
    else:
        assert isinstance(verdict, Reject) and lines == ["warning: restriction sleep must be followed by number"]
