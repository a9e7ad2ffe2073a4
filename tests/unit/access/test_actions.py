"""What the right-hand sides of access tables order; parity is in tests/parity/smtpd/test_restrictions.py."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.actions import act
from pyfix.access.judge import judge_recipient
from pyfix.access.stage import RECIPIENT
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import PERMIT, Reject, Verdict
from pyfix.runtime.task import run_now

from .fakes import transaction

RCPT = {"sender": "root+x@a.sub.example", "recipient": "user@ours.example", "helo": "h.helo.example"}


def refused(found: Transaction) -> str:
    refusal = run_now(judge_recipient(found))
    return "" if refusal is None else refusal.reply


@pytest.mark.parametrize(
    ("action", "reply"),
    [
        ("OK", ""), ("relay", ""), ("DUNNO", "554 5.7.1 <user@ours.example>: Recipient address rejected: Access denied"),
        ("REJECT", "554 5.7.1 <user@ours.example>: Recipient address rejected: Access denied"),
        ("REJECT 4.2.3 why", "554 5.2.3 <user@ours.example>: Recipient address rejected: why"),
        ("DEFER why", "450 4.7.1 <user@ours.example>: Recipient address rejected: why"),
        ("450 4.1.1", "450 4.1.1 <user@ours.example>: Recipient address rejected: Access denied"),
        ("12345", ""), ("permit", ""), ("hash:/x", "451 4.3.5 Server configuration error"),
        ("DEFER_IF_REJECT x", "450 4.7.1 <user@ours.example>: Recipient address rejected: x"),
        ("DISCARD", ""),
    ],
)  # fmt: skip
def test_actions(monkeypatch: Any, action: str, reply: str) -> None:
    restrictions = f"check_recipient_access inline:{{{{user@ours.example = {action}}}}}, reject"
    assert refused(transaction(monkeypatch, **RCPT, smtpd_recipient_restrictions=restrictions)) == reply


def test_orders(monkeypatch: Any) -> None:
    values = ["HOLD", "FILTER smtp:x", "REDIRECT a@b", "BCC c@d", "BCC e@f", "PREPEND X: y", "WARN look", "INFO i"]
    tables = [f"check_recipient_access inline:{{{{user@ours.example = {value}}}}}" for value in values]
    lines: list[str] = []
    found = transaction(monkeypatch, lines, **RCPT, smtpd_recipient_restrictions=", ".join(tables))
    assert refused(found) == ""
    assert (found.hold, found.filter, found.redirect) == (True, "smtp:x", "a@b")
    assert (found.bcc, found.prepend) == (["c@d", "e@f"], ["X: y"])
    assert [line.split()[1] for line in lines] == ["hold:", "filter:", "redirect:", "bcc:", "bcc:", "warn:", "info:"]
    found.forget_mail()
    assert (found.hold, found.filter, found.redirect, found.bcc, found.prepend) == (False, "", "", [], [])


@pytest.mark.parametrize("value", ["FILTER", "FILTER x", "REDIRECT x", "BCC", "PREPEND x"])
def test_orders_without_sense(monkeypatch: Any, value: str) -> None:
    lines: list[str] = []
    restrictions = f"check_recipient_access inline:{{{{user@ours.example = {value}}}}}"
    assert refused(transaction(monkeypatch, lines, **RCPT, smtpd_recipient_restrictions=restrictions)) == ""
    assert lines[0].startswith("warning: access table inline:")


@pytest.mark.parametrize(("value", "hangup"), [("521 x", True), ("HANGUP", True), ("554 x", False)])
def test_end_of_session(monkeypatch: Any, value: str, hangup: bool) -> None:
    restrictions = f"check_recipient_access inline:{{{{user@ours.example = {value}}}}}"
    found = transaction(monkeypatch, **RCPT, smtpd_recipient_restrictions=restrictions)
    refused(found)
    assert found.hangup is hangup


def test_blanks_that_policy_services_send(monkeypatch: Any) -> None:
    """Those behind the first word are one separator, those at the end are part of the text; a number has none."""
    found = transaction(monkeypatch, **RCPT)

    def done(value: str) -> Verdict:
        return run_now(act(found, RECIPIENT, "service", "policy query", value, "x"))

    done("PREPEND \tX: y ")
    assert found.prepend == ["X: y "]
    assert isinstance(verdict := done("REJECT\t no "), Reject) and verdict.text.endswith("rejected: no ")
    assert done("123") is PERMIT and done("123 ") is not PERMIT
