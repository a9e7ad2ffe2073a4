"""What a notice returns of the message: all of it or its header, whatever the message consists of.

Source: bounce(8); RFC 3461 sections 4.3, 6; RFC 6522; postconf(5) bounce_size_limit.
"""

from __future__ import annotations

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity

from .test_notices import MAIN

pytestmark = [pytest.mark.reference, pytest.mark.root]

CONTENTS: dict[str, bytes] = {
    "body only": b"\r\nno header at all\r\n",
    "nothing": b"",
    "empty header and body": b"\r\n",
    "header only": b"Subject: x\r\nX-A: y\r\n",
    "header and empty line": b"Subject: x\r\n\r\n",
    "no last newline": b"Subject: x\r\n\r\nthe end",
    "no last newline in the header": b"Subject: x\r\nX-A: y",
    "text that is no header": b"this is no header\r\nSubject: x\r\n\r\nx\r\n",
    "text behind the header": b"Subject: x\r\nX-A: y\r\nthis is no header\r\nX-B: z\r\n\r\nx\r\n",
    "a mailbox line": b"From me Thu Jan  1 00:00:00 1970\r\nSubject: x\r\n\r\nFrom you\r\n>From\r\n",
    "odd names": b"Subject : x\r\nX-\xe4: y\r\nX-A\t:z\r\n\r\nx\r\n",
    "odd names, ascii": b"Subject : x\r\nX-A\t: z\r\nX B: z\r\n\r\nx\r\n",
    "folded": b"Subject: a\r\n b\r\n\tc\r\n \r\nX-A:\r\n y\r\n\r\nx\r\n",
    "8-bit header": b"Subject: t\xc3\xa4st \xff\r\nX-A: y\r\n\r\nx\r\n",
    "8-bit body": b"Subject: x\r\n\r\nt\xc3\xa4st \xff\x80\r\n",
    "control characters": b"Subject: a\0b\x01c\r\n\r\na\0b\x07\x1b\r\n\r\r\n\n",
    "a header line in several records": b"Subject: " + b"s" * 3000 + b"\r\nX-A: y\r\n\r\nx\r\n",
    "one that looks like several": b"X: " + b"s" * 2045 + b" s" * 1024 + b"y:z\r\nX-A: y\r\n\r\nx\r\n",
    "long lines": b"Subject: " + b"s" * 2000 + b"\r\nX-A: y\r\n\r\n" + b"x" * 5000 + b"\r\n" + b"y " * 2050 + b"\r\n",
    "lines with dots": b"Subject: x\r\n\r\n..\r\n.x\r\n",
    "a return path": b"Return-Path: <me@here>\r\nSubject: x\r\n\r\nx\r\n",
    "parts": b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
    "8-bit parts": b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\nt\xc3\xa4st\r\n",
    "many header lines": b"".join(b"X-A%d: %s\r\n" % (number, b"y" * 60) for number in range(200)) + b"\r\nx\r\n",
    "larger than is returned": b"Subject: x\r\nX-A: t\xc3\xa4st\r\n\r\n" + b"t\xc3\xa4st line\r\n" * 800,
    "almost that large": b"Subject: x\r\n\r\n" + b"".join(b"line %d\r\n" % number for number in range(900)),
}
WAYS = {
    "plain": "<user@ours.example>",
    "all": "<user@ours.example> RET=FULL BODY=8BITMIME ENVID=a+2Bb",
    "header, 7-bit": "<user@ours.example> RET=HDRS BODY=7BIT ENVID=+41",
    "header, 8-bit": "<user@ours.example> RET=HDRS BODY=8BITMIME",
    "UTF-8": "<us\u00e9r@ours.example> SMTPUTF8",
    "UTF-8, header": "<us\u00e9r@ours.example> SMTPUTF8 RET=HDRS BODY=8BITMIME",
    "nobody": "<>",
}


COMBINATIONS = [
    ("plain", "no"), ("header, 7-bit", "no"), ("all", "yes"), ("header, 8-bit", "yes"), ("UTF-8", "yes"),
    ("UTF-8, header", "yes"), ("nobody", "no"),
]  # fmt: skip


@pytest.mark.parametrize(("way", "wide"), COMBINATIONS)
def test_returned(parity: Parity, way: str, wide: str) -> None:
    """Whole messages and headers, with 7-bit, 8-bit and unknown content; postconf(5) smtputf8_enable."""

    def case(mta: Instance) -> None:
        for content in CONTENTS.values():
            mark = mta.log_mark()
            chunk = b"BDAT %d LAST\r\n%s" % (len(content), content)
            mta.dialogue("EHLO c", f"MAIL FROM:{WAYS[way]}", "RCPT TO:<a@refused.example>", chunk, "QUIT", client=TRUSTED)
            mta.wait_for_log(r": removed", count=2 if way == "nobody" else 3, since=mark)

    main = {**MAIN, "smtputf8_enable": wide, "notify_classes": "bounce, 2bounce", "bounce_size_limit": "10000"}
    main |= {"bounce_notice_recipient": "second@ours.example", "2bounce_notice_recipient": "second@ours.example"}
    boxes = "us\u00e9r@ours.example user/\nuser@ours.example user/\nsecond@ours.example second/\n"
    parity(case, main=main, files={"mailboxes": boxes}, deliveries=True, logs=("bounce", "cleanup"))
