"""The Received: header, and the records of who the client is, in cases that strain them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.smtp import Line

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

LONG = ".".join(["n" * 60] * 4)
ONE, TWO = ["RCPT TO:<user@ours.example>"], ["RCPT TO:<user@ours.example>", "RCPT TO:<second@ours.example>"]
SESSIONS: list[list[Line]] = [
    ["HELO " + "x" * 400, "MAIL FROM:<a@b>", *ONE],
    ["EHLO [127.0.0.1]", "MAIL FROM:<a@b>", *ONE],
    ["EHLO [IPv6:2001:db8::1]", "MAIL FROM:<a@b> SMTPUTF8", *ONE],
    ["EHLO h\u00e9.test", "MAIL FROM:<\u00e9@b> SMTPUTF8", *TWO],
    [f"XCLIENT NAME={LONG} ADDR=192.0.2.1 PORT=7 HELO={LONG}", "EHLO c", "MAIL FROM:<a@b>", *TWO],
    ["XCLIENT NAME=c.test ADDR=IPV6:2001:db8::9 REVERSE_NAME=r.test PORT=[UNAVAILABLE]", "EHLO c", "MAIL FROM:<a@b>", *ONE],
    ["XCLIENT NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]", "EHLO c", "MAIL FROM:<a@b>", *ONE],
    ["XCLIENT LOGIN=joe+20x PROTO=ESMTP HELO=z", "MAIL FROM:<a@b> AUTH=c+40d", *ONE],
    ["XCLIENT LOGIN=joe", "HELO z", "MAIL FROM:<a@b>", *ONE],
    ["XFORWARD NAME=f.test ADDR=IPV6:2001:db8::5 PORT=9 HELO=[1.2.3.4] PROTO=SMTP", "EHLO c", "MAIL FROM:<a@b>", *ONE],
    ["EHLO c", "XFORWARD NAME=f.test ADDR=10.0.0.9 PROTO=ESMTP IDENT=Q", "MAIL FROM:<a@b>", *ONE],
    ["EHLO c", "MAIL FROM:<>", 'RCPT TO:<"user"@ours.example>'],
    ["EHLO c", "MAIL FROM:<>", f"RCPT TO:<{'q' * 60}@ours.example>", "RCPT TO:<mbox@ours.example> NOTIFY=NEVER"],
    ["EHLO c", "MAIL FROM:<a@b>", "RCPT TO:<nobody@ours.example>", *ONE],
    ["EHLO c", "MAIL FROM:<a@b>", *(f"RCPT TO:<u{number}@ours.example>" for number in range(120))],
    ["MAIL FROM:<a@b>", *ONE],
    ["HELO a b c", "MAIL FROM:<a@b> BODY=8BITMIME RET=HDRS ENVID=x+2By", *ONE],
]
MAIN = LENIENT | {
    "virtual_mailbox_maps": "", "smtpd_end_of_data_restrictions": "check_sender_access static:hold", "inet_protocols": "all",
    "smtpd_sasl_authenticated_header": "yes",
}  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [{}, {"smtpd_client_port_logging": "yes", "smtpd_sasl_authenticated_header": "no"}, {"smtpd_hide_client_session": "yes"}],
    ids=["plain", "ports", "hidden"],
)
def test_received(same_dialogue: Compare, more: dict[str, str]) -> None:
    for lines in SESSIONS:
        arguments: dict[str, Any] = {"main": MAIN | more, "queue": True}
        same_dialogue(*lines, "DATA", b"Subject: x\r\n\r\nhi\r\n.\r\n", "QUIT", **arguments)
