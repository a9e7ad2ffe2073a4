from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.judge import judge_recipient
from pyfix.access.restrictions import RESTRICTIONS
from pyfix.access.unavailable import REMOVED
from pyfix.access.verdict import Reject
from pyfix.runtime.task import run_now

from .fakes import transaction


def answer(monkeypatch: Any, lines: list[str], restrictions: str) -> str:
    found = transaction(
        monkeypatch, lines, sender="a@b", recipient="user@ours.example", smtpd_recipient_restrictions=restrictions
    )
    refusal = run_now(judge_recipient(found))
    assert isinstance(refusal, Reject)
    return refusal.reply


@pytest.mark.parametrize("name", REMOVED)
def test_none_is_passed_over(monkeypatch: Any, name: str) -> None:
    lines: list[str] = []
    assert answer(monkeypatch, lines, f"{name}, permit") == "451 4.3.5 Server configuration error"
    assert f'restriction "{name}"' in lines[0]


def test_each_name_is_in_one_place() -> None:
    assert not RESTRICTIONS.keys() & REMOVED.keys()


def test_the_log_says_what_to_use_instead(monkeypatch: Any) -> None:
    lines: list[str] = []
    answer(monkeypatch, lines, "check_relay_domains")
    assert lines[0] == (
        'warning: support for restriction "check_relay_domains" has been removed in Postfix 3.9; '
        'instead, specify "reject_unauth_destination"'
    )
