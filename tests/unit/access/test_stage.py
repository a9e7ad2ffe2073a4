from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.restrictions import RESTRICTIONS, TAKES_ARGUMENT
from pyfix.access.stage import CLIENT, DATA, END_OF_DATA, ETRN, HELO, RECIPIENT, SENDER, Stage

from .fakes import transaction

STAGES = (CLIENT, HELO, SENDER, RECIPIENT, DATA, END_OF_DATA, ETRN)


@pytest.mark.parametrize(
    ("stage", "subject"),
    [
        (CLIENT, "client.example[198.51.100.7]"), (HELO, "h"), (SENDER, "s@x"), (RECIPIENT, "r@x"), (DATA, "DATA"),
        (END_OF_DATA, "END-OF-MESSAGE"), (ETRN, "d.example"),
    ],
)  # fmt: skip
def test_what_is_judged(monkeypatch: Any, stage: Stage, subject: str) -> None:
    found = transaction(monkeypatch, sender="s@x", recipient="r@x", helo="h")
    found.etrn_domain = "d.example"
    assert stage.subject(found) == subject


def test_nothing_was_said_yet(monkeypatch: Any) -> None:
    assert [stage.subject(transaction(monkeypatch)) for stage in (HELO, SENDER, RECIPIENT)] == ["", "", ""]


def test_bare_tables_stand_for_a_restriction_that_takes_one() -> None:
    assert {stage.table for stage in STAGES if stage.table} <= set(TAKES_ARGUMENT) <= set(RESTRICTIONS)
