"""message_drop_headers with headers that mean something: both cleanups make the same of them."""

from __future__ import annotations

import pytest

from .side import Compare, record
from .test_content import START, message

DROPPED = {
    "message_drop_headers": "received, message-id, subject, date, x-a, content-transfer-encoding, content-type, from, to, "
    "resent-date, resent-message-id, tls-required, require-tls-esmtp",
    "undisclosed_recipients_header": "To: undisclosed-recipients:;",
}
E_ACUTE = "\u00e9".encode()
HEADERS = {
    "none": b"",
    "8-bit subject": b"Subject: " + E_ACUTE + b"\n",
    "8-bit header that is not known": b"X-A: " + E_ACUTE + b"\n",
    "8-bit addresses": b"From: " + E_ACUTE + b"\nTo: " + E_ACUTE + b" <a@b>\n",
    "MIME": b"MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: 8bit\n",
    "8-bit MIME": b"Content-Transfer-Encoding: 8bit\nContent-Type: text/" + E_ACUTE + b"\n",
    "parts": b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: 8bit\nSubject: x\nX-A: y\nReceived: x\n",
    "resent": b"Resent-Date: x\nTo: a\nFrom: b\n",
    "resent id": b"Resent-Message-Id: x\nTo: a\nFrom: b\n",
    "tls": b"TLS-Required: no\nRequire-TLS-ESMTP: yes\n",
    "ids": b"Message-ID: <q@r>\nMessage-ID: <s@t>\nDate: q\n",
    "folded": b"X-A: b\n c\nX-B: d\n e\nReceived: by a\n\tfoo\n",
    "long": b"X-A: " + b"x" * 3000 + b"\nX-B: y\n",
    "49 hops": b"Received: q\n" * 47 + b"Message-ID: <b@c>\nReceived: q\nMessage-Id: <a@b>\n",
    "50 hops": b"Received: q\n" * 48 + b"Message-ID: <b@c>\nReceived: q\nMessage-Id: <a@b>\n",
}


@pytest.mark.reference
@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("odd", [b"", b"X-C : a blank before the colon is for the parser\n"])
@pytest.mark.parametrize("flags", [2 | 4 | 16 | 32, 4 | 16 | 32 | 1024])
def test_headers_that_mean_something(compare: Compare, name: str, odd: bytes, flags: int) -> None:
    seen = compare(message(odd + HEADERS[name] + b"\nx\n"), flags, main=DROPPED)
    assert (seen.mode is None) is (name == "50 hops")


@pytest.mark.reference
@pytest.mark.parametrize("context", ["local", "remote"])
def test_no_hop_at_all(compare: Compare, context: str) -> None:
    start = START.replace(record("A", "rewrite_context=local"), record("A", f"rewrite_context={context}"))
    stream = message(b"Message-Id: <a@b>\n\nx\n", start).replace(record("N", "Received: by x (y)"), b"")
    assert compare(stream, main=DROPPED).mode is None
