"""XCLIENT and XFORWARD: a client speaks for another one."""

from __future__ import annotations

import pytest

from tests.kit.smtp import Line

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

REFUSED: list[Line] = ["MAIL FROM:<a@b>", "RCPT TO:<x@y.example>"]
TRUSTING = {"smtpd_authorized_xclient_hosts": "127.0.0.1", "smtpd_authorized_xforward_hosts": "127.0.0.1"}


def test_syntax(same_dialogue: Compare) -> None:
    same_dialogue(
        "XCLIENT", "XCLIENT X", "XCLIENT NAME=", "XCLIENT FOO=1", "XCLIENT ADDR=x", "XCLIENT NAME=-x", "XCLIENT PORT=x",
        "XCLIENT PROTO=foo", "XCLIENT LOGIN=", "XCLIENT DESTADDR=x", "XCLIENT DESTPORT=x", "XCLIENT REVERSE_NAME=-",
        "XFORWARD", "XFORWARD X=1", "XFORWARD NAME", "XFORWARD NAME=a+2", "XFORWARD ADDR=x", "XFORWARD PORT=x",
        "XFORWARD PORT=70000", "XFORWARD HELO=\u00e9", "XFORWARD HELO=a+00b", "XFORWARD IDENT=a SOURCE=x",
        "XFORWARD ADDR=[TEMPUNAVAIL]", "XFORWARD ADDR=IPV6:2001:db8::1", "XFORWARD ADDR=2001:db8::1", "MAIL FROM:<a@b>",
        "XFORWARD NAME=a", "XCLIENT NAME=a", "QUIT", main=LENIENT,
    )  # fmt: skip


@pytest.mark.parametrize(
    "lines",
    [
        ["EHLO c", "XCLIENT NAME=a", *REFUSED, "QUIT"],
        ["EHLO c", "XCLIENT LOGIN=joe", *REFUSED, "XCLIENT NAME=b", "RSET", "XCLIENT NAME=b", *REFUSED],
        ["EHLO c", "XFORWARD NAME=f ADDR=1.2.3.4", "XCLIENT NAME=a", "MAIL FROM:<a@b>", "RCPT TO:<user@ours.example>"],
        ["XCLIENT HELO=h PROTO=ESMTP", *REFUSED, "RSET", "XCLIENT ADDR=1.2.3.4", *REFUSED],
        ["XCLIENT NAME=a ADDR=127.0.0.1", "EHLO x", "XCLIENT NAME=b", "QUIT"],
        ["XCLIENT NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]", "NOOP", "QUIT"],
        ["XCLIENT NAME=[TEMPUNAVAIL] REVERSE_NAME=[TEMPUNAVAIL] HELO=[UNAVAILABLE]", *REFUSED, "QUIT"],
        ["XCLIENT HELO=a+2", "XCLIENT HELO=a+0Ab HELO=c", *REFUSED, "QUIT"],
        ["XCLIENT ADDR=192.0.2.1 NAME=[UNAVAILABLE] LOGIN=joe PROTO=ESMTP HELO=h.test", "EHLO d.test", *REFUSED, "QUIT"],
        ["FOO", "FOO", "XCLIENT NAME=a", "FOO", "QUIT"],
        ["EHLO c", "XCLIENT REVERSE_NAME=r.s PORT=[UNAVAILABLE]", *REFUSED],
    ],
    ids=str,
)
def test_sessions(same_dialogue: Compare, lines: list[Line]) -> None:
    same_dialogue(*lines, main=TRUSTING)


@pytest.mark.parametrize("address", ["127.0.0.1", "1.2.3.4"])
def test_client_that_is_not_wanted(same_dialogue: Compare, address: str) -> None:
    main = {"smtpd_client_restrictions": f"check_client_access inline:{{{address}=reject}}", "smtpd_delay_reject": "no"}
    same_dialogue("NOOP", "XCLIENT ADDR=1.2.3.4", "NOOP", "QUIT", main=TRUSTING | main)


def test_counting_follows_the_address(same_dialogue: Compare) -> None:
    main = TRUSTING | {"smtpd_client_connection_rate_limit": "1"}
    for lines in (["NOOP", "QUIT"], *[["NOOP", "XCLIENT ADDR=1.2.3.4", "NOOP", "QUIT"]] * 2):
        same_dialogue(*lines, main=main)


def test_login_may_relay(same_dialogue: Compare) -> None:
    main = TRUSTING | {
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
        "smtpd_recipient_restrictions": "permit_inet_interfaces, reject",
    }
    same_dialogue(*REFUSED, "RSET", "XCLIENT LOGIN=joe ADDR=192.0.2.1", "EHLO x", *REFUSED, main=main)
