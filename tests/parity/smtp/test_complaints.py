"""Transcripts of sessions for the postmaster.

Source: smtp(8); postconf(5) notify_classes.
"""

from __future__ import annotations

import pytest

from tests.kit.peer import Answer
from tests.parity.smtp.handing import PIPELINING, Hand

pytestmark = [pytest.mark.reference, pytest.mark.root]

CASES: dict[str, dict[str, Answer | list[Answer]]] = {
    "RCPT 500": {"RCPT": ["500 5.5.1 what", "250 ok"]},
    "RCPT 550": {"RCPT": ["550 5.1.1 unknown", "250 ok"]},
    "greeting 502": {"greeting": "502 5.5.1 what"},
    "content 555": {".": "555 5.5.4 a rather long line that has to be broken somewhere, as it is longer than a line may be"},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_protocol(hand: Hand, name: str) -> None:
    main = {"notify_classes": "protocol, resource", "error_notice_recipient": "user@ours.example"}
    hand({"EHLO": PIPELINING, **CASES[name]}, ["a", "b"], main=main)
