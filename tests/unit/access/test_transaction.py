"""What restrictions see, and the line that the log has of a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.judge import (
    judge_recipient,
)
from pyfix.access.transaction import Client, LookupFailed, Transaction
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.task import run_now

from .fakes import transaction


def refused(found: Transaction) -> str:
    """Return what is replied to the recipient, empty when it is welcome."""
    refusal = run_now(judge_recipient(found))
    return "" if refusal is None else refusal.reply


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


CLIENT = Client("c.example", "192.0.2.1", "25")


@pytest.mark.parametrize(
    ("address", "log_port", "log_name", "printed"),
    [
        ("192.0.2.1", False, "c.example[192.0.2.1]", "192.0.2.1"),
        ("192.0.2.1", True, "c.example[192.0.2.1]:25", "192.0.2.1"),
        ("2001:db8::1", False, "c.example[2001:db8::1]", "IPv6:2001:db8::1"),
    ],
)
def test_names_of_a_client(address: str, log_port: bool, log_name: str, printed: str) -> None:
    client = Client("c.example", address, "25", log_port=log_port)
    assert (client.log_name, client.printed_address) == (log_name, printed)


def test_forgetting_a_mail(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, sender="a@b", recipient="c@d", helo="h")
    found.queue_id, found.accepted, found.hold, found.sasl_username = "ABC", 3, True, "joe"
    found.bcc.append("x")
    found.forget_mail()
    assert (found.sender, found.recipient, found.queue_id, found.accepted, found.hold, found.bcc) == (None, None, "", 0, False, [])
    assert (found.helo_name, found.sasl_username) == ("h", "joe"), "those are the session's"


@pytest.mark.parametrize(
    ("style", "sender", "shown"),
    [("external", "a b@c", '"a b"@c'), ("internal", "a b@c", "a b@c"), ("external", "", "")],
)
def test_form_of_addresses(monkeypatch: Any, style: str, sender: str, shown: str) -> None:
    lines: list[str] = []
    transaction(monkeypatch, lines, sender=sender, info_log_address_format=style).log_action("reject", "x")
    assert lines == [f"NOQUEUE: reject: RCPT from client.example[198.51.100.7]: x; from=<{shown}> proto=SMTP"]


def test_an_address_that_cannot_be_resolved(monkeypatch: Any) -> None:
    found = transaction(monkeypatch)
    with pytest.raises(LookupFailed) as failed:
        run_now(found.resolve("fail@ours.example"))
    assert failed.value.reject.reply == "451 4.3.0 <fail@ours.example>: Temporary lookup failure"
    assert failed.value.reject.notice == "resource"


def test_a_trivial_rewrite_that_is_gone(monkeypatch: Any) -> None:
    async def gone(*_arguments: object) -> None:
        raise ServiceError("x")

    found = transaction(monkeypatch)
    resolver: Any = found.policy.resolver
    resolver.remembered, resolver.resolve = lambda *_arguments: None, gone
    with pytest.raises(LookupFailed, match="Temporary lookup failure"):
        run_now(found.resolve("a@ours.example"))
