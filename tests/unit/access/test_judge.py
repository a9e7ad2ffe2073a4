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
from pyfix.config.errors import ConfigError
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


@pytest.mark.parametrize(
    ("restrictions", "reply"),
    [
        ("permit, reject", ""),
        ("reject", "554 5.7.1 <user@ours.example>: Recipient address rejected: Access denied"),
        ("defer", "450 4.3.2 <user@ours.example>: Recipient address rejected: Try again later"),
        ("warn_if_reject reject", ""),
        ("defer_if_permit", "450 4.7.0 <user@ours.example>: Recipient address rejected: defer_if_permit requested"),
        ("defer_if_permit, reject", "554 5.7.1 <user@ours.example>: Recipient address rejected: Access denied"),
        ("defer_if_reject, reject", "450 4.7.0 <user@ours.example>: Recipient address rejected: defer_if_reject requested"),
        ("nonsense", "451 4.3.5 Server configuration error"),
        ("check_recipient_access", "451 4.3.5 Server configuration error"),
        ("sleep x", "451 4.3.5 Server configuration error"),
        ("sleep", "451 4.3.5 Server configuration error"),
        ("check_recipient_access inline:{user@ours.example=reject}",
         "554 5.7.1 <user@ours.example>: Recipient address rejected: Access denied"),
        ("inline:{user@ours.example=reject}",
         "554 5.7.1 <user@ours.example>: Recipient address rejected: Access denied"),
        ("check_recipient_access inline:{ours.example=strict}, reject",
         "450 4.3.2 <user@ours.example>: Recipient address rejected: Try again later"),
        ("strict", "450 4.3.2 <user@ours.example>: Recipient address rejected: Try again later"),
        ("lax, reject", ""),
        ("round", "451 4.3.5 Server configuration error"),
        ("permit_auth_destination, reject", ""),
        ("reject_multi_recipient_bounce, permit", ""),
        ("reject_unauth_pipelining", ""),
        ("reject_plaintext_session",
         "450 4.7.1 <user@ours.example>: Recipient address rejected: Session encryption is required"),
        ("permit_sasl_authenticated, permit_inet_interfaces, permit_tls_clientcerts, reject",
         "554 5.7.1 <user@ours.example>: Recipient address rejected: Access denied"),
    ],
)  # fmt: skip
def test_recipient_restrictions(monkeypatch: Any, restrictions: str, reply: str) -> None:
    found = transaction(
        monkeypatch, sender="a@b", recipient="user@ours.example", smtpd_recipient_restrictions=restrictions,
        smtpd_restriction_classes="strict lax round", strict="defer", lax="permit", round="round",
    )  # fmt: skip
    assert refused(found) == reply


def test_login_and_interfaces(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, sender="a@b", recipient="a@elsewhere.example")
    found.sasl_username = "joe"
    assert refused(found) == ""
    relay = {"smtpd_relay_restrictions": "permit_inet_interfaces, reject"}
    found = transaction(monkeypatch, address="127.0.0.1", sender="a@b", recipient="a@elsewhere.example", **relay)
    assert refused(found) == ""


def test_log(monkeypatch: Any) -> None:
    lines: list[str] = []
    found = transaction(
        monkeypatch, lines, sender="a b@c", recipient="user@ours.example", helo="h",
        smtpd_recipient_restrictions="warn_if_reject reject, reject",
    )  # fmt: skip
    found.queue_id, found.sasl_sender = "ABC", "x"
    refused(found)
    rest = 'from client.example[198.51.100.7]: 554 5.7.1 <user@ours.example>: Recipient address rejected: Access denied; '
    rest += 'from=<"a b"@c> to=<user@ours.example> proto=SMTP helo=<h> sasl_sender=x'
    assert lines == [f"ABC: reject_warning: RCPT {rest}", f"ABC: reject: RCPT {rest}"]


def test_soft_bounce(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, sender="a@b", recipient="x@ours.example", soft_bounce="yes")
    assert refused(found).startswith("450 4.1.1 ")


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


@pytest.mark.parametrize(
    "main",
    [
        {"smtpd_relay_restrictions": "permit"},
        {"smtpd_relay_restrictions": "warn_if_reject reject_unauth_destination"},
        {"smtpd_relay_restrictions": "c", "smtpd_restriction_classes": "c", "c": "permit"},
    ],
    ids=str,
)
def test_open_relay_is_refused(monkeypatch: Any, main: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="specify at least one working instance of: reject_unauth_destination"):
        transaction(monkeypatch, **main)


def test_class_may_guard(monkeypatch: Any) -> None:
    transaction(monkeypatch, smtpd_relay_restrictions="c", smtpd_restriction_classes="c", c="reject_unauth_destination")
