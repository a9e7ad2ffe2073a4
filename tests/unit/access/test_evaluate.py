"""Restrictions asked in their order; parity is in tests/parity/smtpd/test_restrictions.py."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.judge import (
    judge_recipient,
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
        ("reject_plaintext_session", "450 4.7.1 Session encryption is required"),
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


def test_soft_bounce(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, sender="a@b", recipient="x@ours.example", soft_bounce="yes")
    assert refused(found).startswith("450 4.1.1 ")


def test_warnings_instead_of_refusals(monkeypatch: Any) -> None:
    lines: list[str] = []
    found = transaction(
        monkeypatch, lines, sender="a@b", recipient="user@ours.example", smtpd_restriction_classes="both",
        both="reject, defer", smtpd_recipient_restrictions="warn_if_reject both, warn_if_reject defer_if_permit, permit",
    )  # fmt: skip
    assert refused(found) == ""
    assert [line.split("; from=")[0].partition("]: ")[2] for line in lines if "reject_warning" in line] == [
        "554 5.7.1 <user@ours.example>: Recipient address rejected: Access denied",
        "450 4.3.2 <user@ours.example>: Recipient address rejected: Try again later",
        "450 4.7.0 <user@ours.example>: Recipient address rejected: defer_if_permit requested",
    ]
    assert all(": reject_warning: RCPT from " in line for line in lines)


@pytest.mark.parametrize("first", ["permit", "reject", "defer"])
def test_what_follows_a_last_word_is_warned_of(monkeypatch: Any, first: str) -> None:
    lines: list[str] = []
    main = {"smtpd_recipient_restrictions": f"{first}, sleep 1"}
    refused(transaction(monkeypatch, lines, sender="a@b", recipient="user@ours.example", **main))
    assert lines[-1] == f"warning: restriction `sleep' after `{first}' is ignored"


def test_classes_must_be_defined(monkeypatch: Any) -> None:
    with pytest.raises(ConfigError, match="restriction class `one' needs a definition"):
        transaction(monkeypatch, smtpd_restriction_classes="one", one="")


def test_a_deferral_softens_only_what_is_for_good(monkeypatch: Any) -> None:
    found = transaction(
        monkeypatch, sender="a@b", recipient="user@ours.example", smtpd_recipient_restrictions="defer_if_reject, defer"
    )
    assert refused(found) == "450 4.3.2 <user@ours.example>: Recipient address rejected: Try again later"


def test_classes_within_classes(monkeypatch: Any) -> None:
    lines: list[str] = []
    found = transaction(
        monkeypatch, lines, sender="a@b", recipient="user@ours.example", smtpd_restriction_classes="one, two",
        one="two", two="check_recipient_access inline:{user@ours.example=reject}", smtpd_recipient_restrictions="one",
    )  # fmt: skip
    assert refused(found).startswith("554 5.7.1 ")
    assert len([line for line in lines if ": reject: " in line]) == 1, "it is logged once"


def test_words_that_name_nothing_are_warned_of(monkeypatch: Any) -> None:
    lines: list[str] = []
    found = transaction(monkeypatch, lines, sender="a@b", recipient="user@ours.example", smtpd_recipient_restrictions="frob")
    assert refused(found) == "451 4.3.5 Server configuration error"
    assert lines[0] == 'warning: unknown smtpd restriction: "frob"'


def test_control_characters_do_not_reach_a_reply(monkeypatch: Any) -> None:
    found = transaction(
        monkeypatch, sender="a@b", recipient="x\r\n250 fake@elsewhere.example",
        smtpd_relay_restrictions="reject_unauth_destination",
    )  # fmt: skip
    assert refused(found) == "554 5.7.1 <x  250 fake@elsewhere.example>: Relay access denied"
