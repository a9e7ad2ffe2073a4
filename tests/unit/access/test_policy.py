"""Lists of restrictions as main.cf has them."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.stage import CLIENT
from pyfix.config.errors import ConfigError
from pyfix.runtime.task import run_now
from pyfix.tables.table import Table

from .fakes import transaction


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
    """What is no open relay is no ConfigError."""
    found = transaction(monkeypatch, smtpd_relay_restrictions="c", smtpd_restriction_classes="c", c="reject_unauth_destination")
    assert [check.name for check in found.policy.named_list("c")] == ["c"]


@pytest.mark.parametrize("word", ["reject", "defer", "defer_if_permit", "DEFER_UNAUTH_DESTINATION", "reject_unauth_destination"])
@pytest.mark.parametrize("where", ["smtpd_relay_restrictions", "smtpd_recipient_restrictions"])
def test_words_that_guard_against_relaying(monkeypatch: Any, word: str, where: str) -> None:
    other = {"smtpd_relay_restrictions": "permit", "smtpd_recipient_restrictions": "permit"}
    found = transaction(monkeypatch, **(other | {where: f"permit_mynetworks, {word}"}))
    assert len(found.policy.named_list(f"permit_mynetworks, {word}")) == 2


@pytest.mark.parametrize(
    ("domain", "local"),
    [("mail.ours.example", True), ("[127.0.0.1]", True), ("[192.0.2.9]", False), ("ours.example", False)],
)
def test_local_domains(monkeypatch: Any, domain: str, local: bool) -> None:
    assert transaction(monkeypatch).policy.is_local_domain(domain) is local


def test_lists_of_access_tables_are_compiled_once(monkeypatch: Any) -> None:
    policy = transaction(monkeypatch).policy
    assert policy.named_list("permit, reject") is policy.named_list("permit, reject")
    assert [check.name for check in policy.named_list("permit reject")] == ["permit", "reject"]


@pytest.mark.parametrize("wanted", ["permit_mynetworks", "inline:{permit_mynetworks=x}", "waiting"])
def test_permits_are_logged_where_that_is_wanted(monkeypatch: Any, wanted: str) -> None:
    if wanted == "waiting":
        monkeypatch.setattr(Table, "local", False)
        wanted = "inline:{permit_mynetworks=x}"
    lines: list[str] = []
    found = transaction(monkeypatch, lines, address="192.0.2.1", smtpd_log_access_permit_actions=wanted)
    run_now(found.policy.log_permit(found, CLIENT, "permit_mynetworks"))
    run_now(found.policy.log_permit(found, CLIENT, "permit"))
    assert len(lines) == 1
    assert "permit: RCPT from client.example[192.0.2.1]: action=permit_mynetworks for Client host=client.example" in lines[0]
