"""Whole sessions with prepared clients; what the reference says is in tests/parity/smtpd."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pyfix.formats.status import CONTENT, DEFER, HOPS
from pyfix.runtime.stream import StreamClosed, StreamTimeout

from .fakes import converse

ENVELOPE = ["EHLO client.test", "MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>"]
BODY = b"Subject: hi\r\n\r\nbody\r\n.\r\n"


def test_a_message(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE, "DATA", BODY, "QUIT")
    assert found.replies[0] == "220 mail.ours.example ESMTP Postfix"
    assert found.replies[-5:] == [
        "250 2.1.0 Ok", "250 2.1.5 Ok", "354 End data with <CR><LF>.<CR><LF>", "250 2.0.0 Ok: queued as ABCDEF1234",
        "221 2.0.0 Bye",
    ]  # fmt: skip
    assert found.lines == [
        "connect from client.example[198.51.100.7]",
        "ABCDEF1234: client=client.example[198.51.100.7]",
        "disconnect from client.example[198.51.100.7] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5",
    ]
    (message,) = found.messages
    assert message.state == "finished"
    kinds = "".join(kind for kind, _ in message.records)
    assert re.fullmatch("TAASA+ARMNNNNNNXE", kinds), kinds
    attributes = [data.decode() for kind, data in message.records if kind == "A"]
    assert attributes[:3] == ["log_ident=ABCDEF1234", "rewrite_context=remote", "log_client_name=client.example"]
    assert attributes[-1] == "dsn_orig_rcpt=rfc822;user@ours.example"
    texts = [data for kind, data in message.records if kind == "N"]
    assert texts[0] == b"Received: from client.test (client.example [198.51.100.7])"
    assert texts[1] == b"\tby mail.ours.example (Postfix) with ESMTP id ABCDEF1234"
    assert texts[2].startswith(b"\tfor <user@ours.example>; ")
    assert texts[3:] == [b"Subject: hi", b"", b"body"]


def test_everything_in_one_packet(monkeypatch: Any) -> None:
    lines = "\r\n".join([*ENVELOPE[1:], "DATA", ""]).encode()
    found = converse(monkeypatch, ENVELOPE[0], lines, BODY + b"QUIT\r\n")
    assert found.replies[-1] == "221 2.0.0 Bye"
    assert len(found.messages) == 1


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        ([*ENVELOPE[:2], "RCPT TO:<nobody@ours.example>"],
         "550 5.1.1 <nobody@ours.example>: Recipient address rejected: User unknown in virtual mailbox table"),
        ([*ENVELOPE[:2], "RCPT TO:<a@elsewhere.example>"], "554 5.7.1 <a@elsewhere.example>: Relay access denied"),
        ([*ENVELOPE[:2], "RCPT TO:<a@b..c>"], "501 5.1.3 Bad recipient address syntax"),
        (["MAIL FROM:<a@b..c>"], "501 5.1.7 Bad sender address syntax"),
        (["RCPT TO:<a@b>"], "503 5.5.1 Error: need MAIL command"),
        (["FOO"], "500 5.5.2 Error: command not recognized"),
        ([""], "500 5.5.2 Error: bad syntax"),
        ([b"\xff\r\n"], "500 5.5.2 Error: bad UTF-8 syntax"),
        (["HELP"], "214 2.0.0 Commands: AUTH BDAT DATA EHLO ETRN HELO HELP MAIL NOOP QUIT RCPT RSET STARTTLS VRFY XCLIENT "
         "XFORWARD"),
        (["VRFY user@ours.example"], "252 2.0.0 user@ours.example"),
        (["ETRN x.example"], "459 <x.example>: service unavailable"),
        (["STARTTLS"], "502 5.5.1 Error: command not implemented"),
        (["AUTH PLAIN"], "503 5.5.1 Error: authentication not enabled"),
        (["XCLIENT NAME=a"], "550 5.7.0 Error: insufficient authorization"),
        (["Subject: x"], "221 2.7.0 Error: I can break rules, too. Goodbye."),
        (["DATA"], "503 5.5.1 Error: need RCPT command"),
        ([*ENVELOPE[:2], "DATA"], "554 5.5.1 Error: no valid recipients"),
        ([*ENVELOPE, "DATA x"], "501 5.5.4 Syntax: DATA"),
        (["BDAT x"], "521 5.5.4 Syntax: BDAT count [LAST]"),
    ],
)  # fmt: skip
def test_refusals(monkeypatch: Any, lines: list[str | bytes], last: str) -> None:
    assert converse(monkeypatch, *lines).replies[-1] == last


def test_network_may_relay(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE[:2], "RCPT TO:<a@elsewhere.example>", address="192.0.2.1")
    assert found.replies[-1] == "250 2.1.5 Ok"


def test_chunks(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE, b"BDAT 5\r\nab\r\nc", b"BDAT 3 LAST\r\nd\r\n", "QUIT")
    assert found.replies[-3:] == ["250 2.0.0 Ok: 5 bytes", "250 2.0.0 Ok: 8 bytes queued as ABCDEF1234", "221 2.0.0 Bye"]
    assert [data for kind, data in found.messages[0].records if kind == "N"][3:] == [b"ab", b"cd"]


def test_client_that_vanishes(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE, "DATA", b"abc\r\nd")
    assert found.lines[-2] == "ABCDEF1234: lost connection after DATA (5 bytes) from client.example[198.51.100.7]"
    assert found.lines[-1].endswith(" ehlo=1 mail=1 rcpt=1 data=0/1 commands=3/4")
    assert found.messages[0].state == "canceled"
    found = converse(monkeypatch, "NOOP", error=StreamClosed("reset"))
    assert found.lines[-2] == "NOQUEUE: lost connection after NOOP from client.example[198.51.100.7]"


def test_client_that_stalls(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE, error=StreamTimeout())
    assert found.replies[-1] == "421 4.4.2 mail.ours.example Error: timeout exceeded"
    assert found.lines[-2] == "ABCDEF1234: timeout after RCPT from client.example[198.51.100.7]"


def test_too_many_errors(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *["FOO"] * 5, main={"smtpd_hard_error_limit": "3"})
    assert found.replies[-1] == "421 4.7.0 mail.ours.example Error: too many errors"
    assert len(found.replies) == 5


def test_size_limit(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE, "DATA", b"x" * 200 + b"\r\n.\r\n", main={"message_size_limit": "100"})
    assert found.replies[-1] == "552 5.3.4 Error: message file too big"
    assert found.messages[0].state == "canceled"
    found = converse(monkeypatch, "MAIL FROM:<a@b> SIZE=101", main={"message_size_limit": "100"})
    assert found.replies[-1] == "552 5.3.4 Message size exceeds fixed limit"


@pytest.mark.parametrize(
    ("status", "reason", "reply"),
    [
        (CONTENT, "", "550 5.7.1 Error: message content rejected"),
        (CONTENT, "550 5.7.1 no such words", "550 5.7.1 no such words"),
        (CONTENT, "5.6.1 no such words", "550 5.6.1 no such words"),
        (DEFER, "4.2.1 not today", "451 4.2.1 not today"),
        (DEFER, "", "451 4.7.1 Error: service unavailable"),
        (HOPS, "5.6.1 x", "554 5.4.0 Error: too many hops"),
    ],
)
def test_what_cleanup_refuses(monkeypatch: Any, status: int, reason: str, reply: str) -> None:
    found = converse(monkeypatch, *ENVELOPE, "DATA", BODY, status=status, reason=reason)
    assert found.replies[-1] == reply


def test_xclient(monkeypatch: Any) -> None:
    found = converse(
        monkeypatch, "XCLIENT NAME=other.example ADDR=192.0.2.5 LOGIN=joe", *ENVELOPE, "QUIT",
        main={"smtpd_authorized_xclient_hosts": "198.51.100.7"},
    )  # fmt: skip
    assert found.lines[1] == (
        "ABCDEF1234: client=other.example[192.0.2.5], sasl_method=XCLIENT, sasl_username=joe"
    )
    assert found.lines[-1].startswith("disconnect from other.example[192.0.2.5] ehlo=1 xclient=0/1")


def test_xforward_lasts_for_one_message(monkeypatch: Any) -> None:
    found = converse(
        monkeypatch, "EHLO c", "XFORWARD NAME=a.b ADDR=192.0.2.9 IDENT=Q", *ENVELOPE[1:], "RSET", *ENVELOPE[1:],
        main={"smtpd_authorized_xforward_hosts": "198.51.100.7"},
    )  # fmt: skip
    attributes = [[data for kind, data in message.records if kind == "A"] for message in found.messages]
    assert b"log_client_name=a.b" in attributes[0] and b"log_ident=Q" in attributes[0]
    assert b"log_client_name=client.example" in attributes[1]


def test_bare_newlines(monkeypatch: Any) -> None:
    note = {"smtpd_forbid_bare_newline": "note"}
    assert converse(monkeypatch, b"NOOP\n", "QUIT", main=note).lines[-1].endswith("commands=2 notes=bare_lf")
    found = converse(monkeypatch, *ENVELOPE, "DATA", b"a\nb\r\n.\r\n", main={"smtpd_forbid_bare_newline": "reject"})
    assert found.replies[-1] == "550 5.5.2 mail.ours.example Error: bare <LF> received"


def test_commands_sent_too_early(monkeypatch: Any) -> None:
    found = converse(monkeypatch, b"EHLO x\r\nMAIL FROM:<a@b>\r\n")
    assert found.replies[-1] == "554 5.5.0 Error: SMTP protocol synchronization"
    line = "improper command pipelining after EHLO from client.example[198.51.100.7]: MAIL FROM:<a@b>\\r\\n"
    assert found.lines[1] == line


def test_soft_bounce(monkeypatch: Any) -> None:
    assert converse(monkeypatch, "FOO", main={"soft_bounce": "yes"}).replies[-1] == "400 4.5.2 Error: command not recognized"


def test_footer(monkeypatch: Any) -> None:
    found = converse(monkeypatch, "FOO", main={"smtpd_reject_footer": "\\c. Ask ${client_name}"})
    assert found.replies[-1] == "500 5.5.2 Error: command not recognized. Ask client.example"
