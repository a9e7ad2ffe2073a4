"""What milters may answer, at each stage.

Source: MILTER_README; the milter protocol of Sendmail 8.
"""

from __future__ import annotations

import pytest

from tests.kit.milter import (
    ACCEPT,
    CONN_FAIL,
    CONTINUE,
    DISCARD,
    HANG_UP,
    PROGRESS,
    REJECT,
    SHUTDOWN,
    SKIP,
    TEMPFAIL,
    Answer,
    Script,
    ScriptedMilter,
    packet,
    quarantine,
    reply,
)
from tests.kit.parity import Parity

from .sides import LATER, LOGS, session

pytestmark = pytest.mark.reference

STAGES = ("connect", "helo", "mail", "rcpt", "data", "unknown", "header", "eoh", "body", "eom")
ANSWERS: dict[str, list[Answer]] = {
    "accept": [ACCEPT],
    "reject": [REJECT],
    "tempfail": [TEMPFAIL],
    "550": [reply("550 5.7.9 not that")],
    "450": [reply("450 4.7.9 not now")],
    "without status": [reply("554 no")],
    "421": [reply("421 4.7.9 away")],
    "several lines": [reply("554-5.1.2 one\r\n554 5.1.2 two")],
    "discard": [DISCARD],
    "shutdown": [SHUTDOWN],
    "skip": [SKIP],
    "connection failed": [CONN_FAIL],
    "quarantine": [quarantine("why not"), CONTINUE],
    "quarantine without reason": [quarantine(""), CONTINUE],
    "progress": [PROGRESS, PROGRESS, CONTINUE],
    "unknown packet": [packet("Z")],
    "malformed reply": [reply("650 what")],
    "reply of another class": [reply("550 4.7.1 what")],
    "reply that is too short": [reply("55")],
    "empty reply": [packet("y")],
    "trailing data": [packet("c", b"more")],
    "hangs up": [HANG_UP],
    "packet without length": [b"\0\0\0\0"],
    "packet too long": [b"\x7f\0\0\0c"],
    "change at the wrong time": [packet("h", b"A\0b\0"), CONTINUE],
}
FEW = ("connect", "rcpt", "eom")
"""Stages at which what is less usual is said."""
LESS_USUAL = frozenset(
    (
        "450", "without status", "quarantine without reason", "progress", "reply of another class",
        "reply that is too short", "empty reply", "packet without length", "packet too long",
        "change at the wrong time",
    )
)  # fmt: skip
_PANICS = {("unknown", "accept"), ("unknown", "discard")}
"""The reference ends with a panic when MAIL follows."""


CASES = [
    (stage, answer)
    for stage in STAGES
    for answer in ANSWERS
    if (stage, answer) not in _PANICS
    and (answer not in LESS_USUAL or stage in FEW)
    and not (stage == "eom" and answer.startswith("change"))
]


@pytest.mark.parametrize(("stage", "answer"), CASES)
def test_answers(parity: Parity, milter: ScriptedMilter, stage: str, answer: str) -> None:
    lines = (
        "EHLO client.example", "XFOO bar", "MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>",
        "RCPT TO:<second@ours.example>", "DATA", "Subject: x\r\nX-Two: 2\r\n\r\nhi\r\n.", "VRFY <user@ours.example>",
        "RSET", "QUIT",
    )  # fmt: skip
    script = Script({stage: ANSWERS[answer]})
    parity(session({milter: script}, lines), main={"smtpd_milters": milter.endpoint, **LATER}, logs=LOGS)
