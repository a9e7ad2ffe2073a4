from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.transaction import LookupFailed
from pyfix.access.unlisted import check_recipient, check_sender
from pyfix.access.verdict import DUNNO, Reject
from pyfix.runtime.task import run_now

from .fakes import transaction


def reply(monkeypatch: Any, recipient: str, **main: str) -> str:
    verdict = run_now(check_recipient(transaction(monkeypatch, sender="s@x", recipient=recipient, **main)))
    assert verdict is DUNNO or isinstance(verdict, Reject)
    return verdict.reply if isinstance(verdict, Reject) else ""


@pytest.mark.parametrize(
    ("recipient", "text"),
    [
        ("user@ours.example", ""), ("USER@ours.example", ""), ("joe@mail.ours.example", ""), ("joe", ""),
        ("any@elsewhere.example", ""),
        ("x@ours.example", "550 5.1.1 <x@ours.example>: Recipient address rejected: User unknown in virtual mailbox table"),
        ("x", "550 5.1.1 <x>: Recipient address rejected: User unknown in local recipient table"),
        ("error@ours.example", "550 5.9.1 <error@ours.example>: Recipient address rejected: gone away"),
    ],
)  # fmt: skip
def test_classes(monkeypatch: Any, recipient: str, text: str) -> None:
    assert reply(monkeypatch, recipient) == text


@pytest.mark.parametrize(
    "main",
    [
        {"canonical_maps": "inline:{x@ours.example=y}"}, {"recipient_canonical_maps": "inline:{x@ours.example=y}"},
        {"virtual_alias_maps": "inline:{@ours.example=y}"}, {"virtual_mailbox_maps": ""},
        {"virtual_mailbox_maps": "inline:{@ours.example=y}"},
    ],
)  # fmt: skip
def test_tables_that_know_the_address(monkeypatch: Any, main: dict[str, str]) -> None:
    assert reply(monkeypatch, "x@ours.example", **main) == ""


def test_extensions(monkeypatch: Any) -> None:
    assert reply(monkeypatch, "user+e@ours.example", recipient_delimiter="+") == ""
    assert reply(monkeypatch, "user+e@ours.example").startswith("550 ")


def test_codes_and_names(monkeypatch: Any) -> None:
    text = reply(monkeypatch, "x@ours.example", unknown_virtual_mailbox_reject_code="450", show_user_unknown_table_name="no")
    assert text == "450 4.1.1 <x@ours.example>: Recipient address rejected: User unknown"


def test_a_table_that_fails(monkeypatch: Any) -> None:
    with pytest.raises(LookupFailed):
        reply(monkeypatch, "x@ours.example", virtual_mailbox_maps="fail:x")


def test_once_for_each_recipient(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, sender="s@x", recipient="x@ours.example")
    assert isinstance(run_now(check_recipient(found)), Reject)
    assert run_now(check_recipient(found)) is DUNNO
    assert run_now(check_recipient(transaction(monkeypatch, sender="s@x"))) is DUNNO


@pytest.mark.parametrize(("sender", "code"), [("x@ours.example", 550), ("user@ours.example", 0), ("", 0), ("a@y", 0), ("error@ours.example", 550)])
def test_senders(monkeypatch: Any, sender: str, code: int) -> None:
    found = transaction(monkeypatch, sender=sender, recipient="user@ours.example")
    verdict = run_now(check_sender(found))
    if code:
        assert isinstance(verdict, Reject)
        assert verdict.reply.startswith(f"{code} 5.1.0 <{sender}>: Sender address rejected: User unknown")
        assert run_now(check_sender(found)) is DUNNO
    else:
        assert verdict is DUNNO
