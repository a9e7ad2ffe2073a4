from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.judge import judge_sender
from pyfix.runtime.task import run_now

from .fakes import transaction

OWNERS = "inline:{joe@ours.example=joe, jim@ours.example=jim, {both@ours.example = joe, jim}}"


def judged(monkeypatch: Any, restriction: str, sender: str, login: str) -> str:
    found = transaction(
        monkeypatch, sender=sender, recipient="user@ours.example", smtpd_sender_restrictions=restriction, smtpd_sender_login_maps=OWNERS,
        smtpd_sasl_auth_enable="yes",
    )  # fmt: skip
    found.sasl_username = login
    refusal = run_now(judge_sender(found))
    return "" if refusal is None else refusal.reply


@pytest.mark.parametrize(
    ("kind", "sender", "login", "reason"),
    [
        ("", "joe@ours.example", "joe", ""), ("", "both@ours.example", "JIM", ""), ("", "jim@ours.example", "joe", "not owned by user joe"),
        ("", "jim@ours.example", "", "not logged in"), ("", "else@ours.example", "joe", "not owned by user joe"), ("", "else@ours.example", "", ""),
        ("", "", "joe", ""), ("authenticated_", "jim@ours.example", "", ""), ("authenticated_", "jim@ours.example", "joe", "not owned by user joe"),
        ("unauthenticated_", "jim@ours.example", "joe", ""), ("unauthenticated_", "jim@ours.example", "", "not logged in"),
        ("known_", "else@ours.example", "joe", ""), ("known_", "jim@ours.example", "joe", "not owned by user joe"),
        ("known_", "jim@ours.example", "", "not logged in"),
    ],
)  # fmt: skip
def test_mismatches(monkeypatch: Any, kind: str, sender: str, login: str, reason: str) -> None:
    expected = f"553 5.7.1 <{sender}>: Sender address rejected: {reason}" if reason else ""
    assert judged(monkeypatch, f"reject_{kind}sender_login_mismatch", sender, login) == expected


@pytest.mark.parametrize(
    ("kind", "told"), [("", ["authenticated_", "unauthenticated_"]), ("known_", ["known_"]), ("unauthenticated_", ["unauthenticated_"])]
)
def test_where_nobody_logs_in(monkeypatch: Any, kind: str, told: list[str]) -> None:
    lines: list[str] = []
    restriction = f"reject_{kind}sender_login_mismatch"
    found = transaction(
        monkeypatch, lines, sender="jim@ours.example", recipient="user@ours.example", smtpd_sender_restrictions=restriction,
        smtpd_sender_login_maps=OWNERS,
    )  # fmt: skip
    assert run_now(judge_sender(found)) is None
    assert lines == [f"warning: restriction `reject_{word}sender_login_mismatch' ignored: no SASL support" for word in told]
