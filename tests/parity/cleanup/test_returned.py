"""What pickup brings and cleanup does not accept is returned to its sender, with the same lines of all programs."""

from __future__ import annotations

import re

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

from .side import Side, Submission, lines, record
from .test_by_hand import BODY, E, M, R, S, T, X

pytestmark = [pytest.mark.reference, pytest.mark.root]

_RETURNED = 1 | 2 | 16 | 32
_LOOP = lines(*[b"Received: x"] * 51, b"", b"b")
_TOO_LARGE = lines(b"Received: x", b"Subject: x", b"", *[b"x" * 98] * 400)
MESSAGES = {
    "no recipient": T + S + M + BODY + X + E,
    "no recipient and no sender": T + record("S") + M + BODY + X + E,
    "loops, no recipient": T + S + M + _LOOP + X + E,
    "loops, late recipient": T + S + M + _LOOP + X + R + E,
    "loops, no sender": T + record("S") + R + M + _LOOP + X + E,
    "loops, DSN": T + record("A", "ret_flags=2") + record("A", "envelope_id=e") + S + record("O", "or@x") + record("R", "b c@x") + M + _LOOP + X + E,
    "8 bits": T + S + R + M + lines(b"Received: x", b"Subject: \xe9", b"", b"hi") + X + E,
    "bad record": T + S + R + record("Q") + M + BODY + X + E,
    "too large before its first recipient": T + S + M + _TOO_LARGE + X + R + E,
}
_TIMES = re.compile(r"delays?=[\d./]+")
_CUT = re.compile(r"cleanup\[.*unexpected EOF in data")
"""The reference reads its own queue file, the end of which is cut off."""


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_that_are_returned(parity: Parity, name: str) -> None:
    def case(mta: Instance) -> object:
        mark = mta.log_mark()
        (seen,), _ = Side(mta).submit_all([Submission(MESSAGES[name], _RETURNED)])
        mta.settle()
        said = [line.partition("]: ")[2] for line in mta.log_lines(mark) if re.search(r"/(cleanup|bounce)\[", line) and not _CUT.search(line)]
        plain = [re.sub(r"\b(20\d{12}\.)?[0-9A-F]{9,}\b", "ID", _TIMES.sub("delay", line)) for line in said]
        return seen.reply, seen.queue, sorted(plain)

    parity(case, main={"strict_7bit_headers": "yes", "message_size_limit": "20000", "in_flow_delay": "0", "relayhost": "", "default_transport": "discard"})
