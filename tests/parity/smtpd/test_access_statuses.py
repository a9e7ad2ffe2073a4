"""Each status about addresses that an access table may give, at each stage: what is made of it."""

from __future__ import annotations

import pytest

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

CODES = [f"{subject}.{detail}" for subject in (0, 1, 2, 7) for detail in (*range(10), 12)]
BEGINNINGS = {"client": "c", "helo": "h", "sender": "s", "recipient": "r", "data": "d", "etrn": "e"}
TABLES = {"data": "check_sender_access", "etrn": "check_etrn_access"}


@pytest.mark.parametrize("kind", [5, 4])
def test_statuses(same_dialogue: Compare, kind: int) -> None:
    rules = "".join(f"/^{begin}{code.replace('.', '-')}[.@]/ {kind}50 {kind}.{code} text\n" for begin in BEGINNINGS.values() for code in CODES)
    main = LENIENT | {
        f"smtpd_{stage}_restrictions": f"{TABLES.get(stage, f'check_{stage}_access')} regexp:{{dir}}/etc/statuses" for stage in BEGINNINGS
    }
    main = {name: value if name != "fast_flush_domains" else "" for name, value in main.items()}
    lines = ["XCLIENT NAME=plain.x ADDR=192.0.2.7", "EHLO x"]
    for code in CODES:
        word = code.replace(".", "-")
        lines += ["MAIL FROM:<a@b>", f"RCPT TO:<r{word}@ours.example>", "RSET"]
        lines += [f"MAIL FROM:<s{word}@b>", "RCPT TO:<user@ours.example>", "RSET"]
        lines += [f"MAIL FROM:<d{word}@b>", "RCPT TO:<user@ours.example>", "DATA", "RSET", f"ETRN e{word}.x"]
        lines += [f"EHLO h{word}.x", "MAIL FROM:<a@b>", "RCPT TO:<user@ours.example>", "RSET"]
        lines += [f"XCLIENT NAME=c{word}.x ADDR=192.0.2.8", "EHLO x", "MAIL FROM:<a@b>", "RCPT TO:<user@ours.example>", "RSET"]
        lines += ["XCLIENT NAME=plain.x ADDR=192.0.2.7", "EHLO x"]
    same_dialogue(*lines, main=main, files={"statuses": rules})
