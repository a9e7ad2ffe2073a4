from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.judge import judge_recipient
from pyfix.access.transaction import Transaction
from pyfix.runtime.task import run_now

from .fakes import transaction

RCPT = {"sender": "root+x@a.sub.example", "recipient": "user@ours.example", "helo": "h.helo.example"}


def refused(found: Transaction) -> str:
    refusal = run_now(judge_recipient(found))
    return "" if refusal is None else refusal.reply


@pytest.mark.parametrize(
    ("restriction", "key"),
    [
        ("check_client_access", "client.example"), ("check_client_access", "example"),
        ("check_client_access", "198.51.100.7"), ("check_client_access", "198.51"),
        ("check_reverse_client_hostname_access", "client.example"),
        ("check_helo_access", "h.helo.example"), ("check_helo_access", "helo.example"),
        ("check_sender_access", "root+x@a.sub.example"), ("check_sender_access", "root@a.sub.example"),
        ("check_sender_access", "a.sub.example"), ("check_sender_access", "sub.example"),
        ("check_sender_access", "root+x@"), ("check_sender_access", "root@"),
        ("check_recipient_access", "user@ours.example"), ("check_recipient_access", "user@"),
    ],
)  # fmt: skip
def test_keys(monkeypatch: Any, restriction: str, key: str) -> None:
    restrictions = f"{restriction} inline:{{{{{key} = 554 found}}}}"
    found = transaction(monkeypatch, **RCPT, recipient_delimiter="+", smtpd_recipient_restrictions=restrictions)
    assert refused(found).endswith(" rejected: found")


def test_null_sender(monkeypatch: Any) -> None:
    found = transaction(
        monkeypatch, sender="", recipient="user@ours.example",
        smtpd_recipient_restrictions="check_sender_access inline:{{<> = 554 found}}",
    )  # fmt: skip
    assert refused(found) == "554 5.7.1 <>: Sender address rejected: found"


def test_style_of_parents(monkeypatch: Any) -> None:
    for style, key in (("", ".sub.example"), ("smtpd_access_maps", "sub.example")):
        found = transaction(
            monkeypatch, **RCPT, parent_domain_matches_subdomains=style,
            smtpd_recipient_restrictions=f"check_sender_access inline:{{{{{key} = 554 found}}}}",
        )  # fmt: skip
        assert refused(found)


def test_table_that_fails(monkeypatch: Any) -> None:
    lines: list[str] = []
    found = transaction(monkeypatch, lines, **RCPT, smtpd_recipient_restrictions="check_sender_access fail:x")
    assert refused(found) == "451 4.3.5 <root+x@a.sub.example>: Sender address rejected: Server configuration error"
    assert 'warning: fail:x lookup error for "root+x@a.sub.example"' in lines


def test_log_of_permits(monkeypatch: Any) -> None:
    lines: list[str] = []
    found = transaction(
        monkeypatch, lines, **RCPT, smtpd_log_access_permit_actions="static:all",
        smtpd_recipient_restrictions="check_recipient_access inline:{user@ours.example=ok}",
    )  # fmt: skip
    refused(found)
    assert "action=ok for Recipient address=user@ours.example from inline:{user@ours.example=ok};" in lines[0]
