"""Records in an odd order, long ones, and headers that matter together: both cleanups make the same of them."""

from __future__ import annotations

import pytest

from .side import Compare, lines, record
from .test_content import message

pytestmark = pytest.mark.reference

UNDISCLOSED = {"undisclosed_recipients_header": "To: undisclosed-recipients:;"}
T, S, R = record("T", "1795400000 123456"), record("S", "s@x.example"), record("R", "r@x.example")
CONTENT = record("M") + lines(b"Received: x", b"Date: x", b"From: y", b"Message-Id: <z>", b"", b"b")
X, E = record("X"), record("E")
ORCPT, NOTIFY = record("A", "dsn_orig_rcpt=rfc822;a@b"), record("A", "notify_flags=1")

ENVELOPES = {
    "two ORCPT": ORCPT * 2 + R,
    "two NOTIFY": NOTIFY * 2 + R,
    "of one recipient, not of the next": record("A", "notify_flags=3") + record("O", "o@x") + ORCPT + R + R,
    "of a recipient that is done": record("O", "x@y") + record("D", "a") + R,
    "RET and ENVID again": record("A", "ret_flags=2") + record("A", "envelope_id=a") + R + record("A", "ret_flags=1") + record("A", "envelope_id=d"),
    "nobody's": R + ORCPT + NOTIFY + record("O", "q@r"),
    "of older files": record("n", "1") + record("o", "rfc822;x@y") + R + record("n", "9") + R,
    "long attribute": record("A", "x=" + "y" * 5000) + R,
    "long recipient": record("R", "a" * 4000 + "@x.example") + R,
    "NUL": record("R", "a\0b@x.example") + record("A", "a\0b=c") + R,
    "unknown": record("Z", "x") + R,
    "two M": R + record("M"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENVELOPES)
def test_envelopes(compare: Compare, name: str) -> None:
    compare(T + S + ENVELOPES[name] + CONTENT + X + E, main=UNDISCLOSED)


EXTRACTED = {
    "all of a recipient": NOTIFY + ORCPT + record("O", "o@x") + record("R", "late@x.example"),
    "nobody's": record("O", "x") + record("n", "1"),
    "hold": record("f", "4"),
    "discard": record("f", "8"),
    "RET": record("A", "ret_flags=1") + record("A", "envelope_id=x"),
    "encoding": record("A", "encoding=8bit"),
    "return receipt": record("r", "a@b") + record("e", "c@d") + R,
    "twice": R + R,
    "long attribute": record("A", "x=" + "y" * 3000),
    **{f"unexpected {kind}": record(kind, "1") for kind in "STMWZV"},
}


@pytest.mark.parametrize("name", EXTRACTED)
@pytest.mark.parametrize("early", [R, b""])
def test_extracted(compare: Compare, name: str, early: bytes) -> None:
    compare(T + S + early + CONTENT + X + EXTRACTED[name] + E, main=UNDISCLOSED)


HEADERS = {
    "recipients": b"To: a@b\nBcc: c@d\nCc: e\n",
    "of one that is sent again": b"To: a@b\nBcc: c@d\nResent-To: x@y\nResent-Bcc: z\nResent-Cc: w\n",
    "Bcc only": b"Bcc: q\n",
    "Resent-Bcc only": b"Resent-Bcc: q\n",
    "Resent-From": b"Resent-From: q\nTo: x\n",
    "complete and sent again": b"Resent-From: q\nResent-Date: x\nResent-Message-Id: <r@s>\nResent-To: y\nFrom: z\n",
    "Apparently-To": b"Apparently-To: x\n",
    "Cc only": b"Cc: x\n",
    "receipts": b"Errors-To: x\nReturn-Receipt-To: y\n",
    "empty": b"To:\n",
    "several": b"To: a\nTo: b\nCc: c\nCc: d\n",
    "encoded words": b"To: =?utf-8?q?a=2Cb?= <x@y>\nFrom: =?utf-8?b?w6k=?= <q@r>\n",
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("context", ["local", "remote"])
@pytest.mark.parametrize("always", ["no", "yes"])
def test_headers_of_sendmail_t(compare: Compare, name: str, context: str, always: str) -> None:
    start = T + record("A", f"rewrite_context={context}") + record("F", "Full N") + S
    text = message(HEADERS[name] + b"\nx\n", start).removesuffix(E) + record("R", "late@x") + E
    compare(text, main=UNDISCLOSED | {"always_add_missing_headers": always})


@pytest.mark.parametrize("length", [2047, 2048, 2049, 4095, 4096, 4097])
def test_lines_of_the_limit_and_longer(compare: Compare, length: int) -> None:
    header = b"X-A: " + b"x" * (length - 5)
    compare(message(header + b"\nSubject: x\n\n" + b"x" * length + b"\ny\n"))
    whole = record("N", "Received: x") + record("N", "X: " + "y" * (length - 3)) + record("N", "To: " + "y" * (length - 4))
    compare(T + S + R + record("M") + whole + record("N") + record("N", "x" * length) + record("N", "y" * length) + X + E)


@pytest.mark.parametrize("flags", [4, 12, 20, 36, *(4 | 16 | 32 | 1 << bit for bit in range(6, 16)), 4 | 16 | 32 | 1 << 17])
def test_flags_together(compare: Compare, flags: int) -> None:
    compare(T + S + R + CONTENT + X + E, flags)
