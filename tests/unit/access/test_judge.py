"""Lists and restrictions; what the reference does is in tests/parity/smtpd/test_restrictions.py."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.judge import (
    judge_client,
    judge_data,
    judge_end_of_data,
    judge_etrn,
    judge_helo,
    judge_recipient,
    judge_sender,
)
from pyfix.access.transaction import Transaction
from pyfix.runtime.task import run_now

from .fakes import transaction


def refused(found: Transaction) -> str:
    """Return what is replied to the recipient, empty when it is welcome."""
    refusal = run_now(judge_recipient(found))
    return "" if refusal is None else refusal.reply


@pytest.mark.parametrize(
    ("address", "recipient", "reply"),
    [
        ("198.51.100.7", "a@elsewhere.example", "454 4.7.1 <a@elsewhere.example>: Relay access denied"),
        ("192.0.2.1", "a@elsewhere.example", ""),
        ("198.51.100.7", "user@ours.example", ""),
        ("198.51.100.7", "x@ours.example",
         "550 5.1.1 <x@ours.example>: Recipient address rejected: User unknown in virtual mailbox table"),
        ("198.51.100.7", "joe", ""),
        ("198.51.100.7", "jim@mail.ours.example",
         "550 5.1.1 <jim@mail.ours.example>: Recipient address rejected: User unknown in local recipient table"),
        ("198.51.100.7", "a%b@ours.example", "454 4.7.1 <a%b@ours.example>: Relay access denied"),
        ("198.51.100.7", "fail@ours.example", "451 4.3.0 <fail@ours.example>: Temporary lookup failure"),
        ("198.51.100.7", "error@ours.example", "550 5.9.1 <error@ours.example>: Recipient address rejected: gone away"),
        ("198.51.100.7", "Postmaster", ""),
    ],
)  # fmt: skip
def test_default_lists(monkeypatch: Any, address: str, recipient: str, reply: str) -> None:
    assert refused(transaction(monkeypatch, address=address, sender="a@b", recipient=recipient)) == reply


def test_login_and_interfaces(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, sender="a@b", recipient="a@elsewhere.example")
    found.sasl_username = "joe"
    assert refused(found) == ""
    relay = {"smtpd_relay_restrictions": "permit_inet_interfaces, reject"}
    found = transaction(monkeypatch, address="127.0.0.1", sender="a@b", recipient="a@elsewhere.example", **relay)
    assert refused(found) == ""


def test_other_stages(monkeypatch: Any) -> None:
    main = {
        "smtpd_client_restrictions": "reject", "smtpd_helo_restrictions": "reject", "smtpd_sender_restrictions": "reject",
        "smtpd_data_restrictions": "defer_if_permit", "smtpd_end_of_data_restrictions": "reject",
        "smtpd_etrn_restrictions": "reject", "smtpd_delay_reject": "no",
    }  # fmt: skip
    found = transaction(monkeypatch, sender="a@b", recipient="user@ours.example", helo="h", **main)
    subjects = []
    for judge in (judge_client, judge_helo, judge_sender, judge_data, judge_end_of_data):
        refusal = run_now(judge(found))
        assert refusal is not None
        subjects.append(refusal.text.partition(":")[0])
    assert subjects == ["<client.example[198.51.100.7]>", "<h>", "<a@b>", "<DATA>", "<END-OF-MESSAGE>"]
    refusal = run_now(judge_etrn(found, "x.example"))
    assert refusal is not None and refusal.text == "<x.example>: Etrn command rejected: Access denied"
    assert refused(found) == ""


def test_delayed_lists(monkeypatch: Any) -> None:
    found = transaction(
        monkeypatch, sender="a@b", recipient="user@ours.example", helo="h", smtpd_helo_restrictions="reject"
    )
    assert refused(found) == "554 5.7.1 <h>: Helo command rejected: Access denied"
    found = transaction(monkeypatch, sender="x@ours.example", recipient="user@ours.example", smtpd_reject_unlisted_sender="yes")
    assert refused(found).startswith("550 5.1.0 <x@ours.example>: Sender address rejected: User unknown")
