"""Who decided, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.decisions import Decision, Decisions, log_decision
from pyfix.access.judge import judge_recipient
from pyfix.access.policy import AccessPolicy
from pyfix.access.transaction import Client, Transaction
from pyfix.access.verdict import DUNNO, PERMIT, DeferIfPermit, DeferIfReject, Reject
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.log import log
from pyfix.runtime.task import run_now

from .fakes import MAIN, Resolver

NO = Reject(554, "5.7.1", "no")


def told(**main: str) -> list[Decision]:
    """Return what is told of a recipient under these restrictions."""
    found: list[Decision] = []
    snapshot = Snapshot({**MAIN, "smtpd_relay_restrictions": "reject_unauth_destination", **main}, process_name="smtpd")
    decisions = Decisions(lambda _transaction, decision: found.append(decision))
    policy = AccessPolicy(snapshot, SmtpdSettings(snapshot), Resolver(), decisions)  # type: ignore[arg-type]  # a fake
    asked = Transaction(policy, Client("c.example", "198.51.100.7", "1"))
    asked.sender, asked.recipient, asked.where = "a@b.example", main.get("to", "user@ours.example"), "RCPT"
    run_now(judge_recipient(asked))
    return found


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    for name in ("info", "warning"):
        monkeypatch.setattr(log, name, lines.append)
    return lines


def test_each_restriction_tells_with_its_place() -> None:
    table = "inline:{b.example=strict}"
    found = told(
        smtpd_restriction_classes="strict, lax",
        strict="permit_mynetworks, reject",
        lax="reject_non_fqdn_sender",
        smtpd_recipient_restrictions=f"lax, check_sender_access {table}, permit",
    )
    assert [(one.where, one.word, one.is_final) for one in found] == [
        ("smtpd_relay_restrictions #1 reject_unauth_destination", "no opinion", False),
        ("lax #1 reject_non_fqdn_sender", "no opinion", False),
        (f"smtpd_recipient_restrictions #2 check_sender_access {table}", "other restrictions", False),
        ('"strict" #1 permit_mynetworks', "no opinion", False),
        ('"strict" #2 reject', "reject: 554 5.7.1 <a@b.example>: Sender address rejected: Access denied", True),
    ] or [one.place for one in found][-2:] == ["strict", "strict"]
    assert found[2].entry == (table, "b.example", "strict")


def test_what_is_in_no_list() -> None:
    found = told(to="nobody@ours.example")
    assert found[-1].where == "smtpd_reject_unlisted_recipient"
    assert found[-1].word.startswith("reject: 550 5.1.1 <nobody@ours.example>")


def test_an_answer_that_can_not_be_had() -> None:
    assert told(to="fail@elsewhere.example")[-1].word == "defer: 451 4.3.0 <fail@elsewhere.example>: Temporary lookup failure"


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        (PERMIT, "permit"),
        (DUNNO, "no opinion"),
        (NO, "reject: 554 5.7.1 no"),
        (Reject(450, "", "later"), "defer: 450 later"),
        (DeferIfPermit(NO), "defer if permitted: 554 5.7.1 no"),
        (DeferIfReject(NO), "defer if rejected: 554 5.7.1 no"),
    ],
)
def test_words(verdict: Any, word: str) -> None:
    assert Decision("list", 1, "reject", "", verdict).word == word


def test_the_line_in_the_log(quiet: list[str]) -> None:
    snapshot = Snapshot({**MAIN, "pyfix_log_decisions": "yes"}, process_name="smtpd")
    policy = AccessPolicy(snapshot, SmtpdSettings(snapshot), Resolver())  # type: ignore[arg-type]  # a fake
    asked = Transaction(policy, Client("c.example", "198.51.100.7", "1"))
    asked.where = "RCPT"
    log_decision(asked, Decision("list", 2, "check_client_access", "hash:/x", NO, ("hash:/x", "c.example", "REJECT no")))
    log_decision(asked, Decision("list", 3, "permit", "", DUNNO))
    log_decision(asked, Decision("list", 4, "check_client_access", "proxy:hash:/x", PERMIT, ("hash:/x", "c.example", "OK")))
    begin = "NOQUEUE: decision: RCPT from c.example[198.51.100.7]: list"
    assert quiet == [
        f"{begin} #2 check_client_access hash:/x by key=<c.example> value=<REJECT no>: reject: 554 5.7.1 no; proto=SMTP",
        f"{begin} #4 check_client_access proxy:hash:/x by hash:/x key=<c.example> value=<OK>: permit; proto=SMTP",
    ]
