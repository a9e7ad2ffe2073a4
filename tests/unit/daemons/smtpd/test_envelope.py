"""MAIL and RCPT, with prepared clients; parity is in tests/parity/smtpd."""

from __future__ import annotations

from typing import Any

import pytest

from .fakes import converse

EHLO, MAIL, RCPT = "EHLO client.test", "MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>"


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("MAIL FROM:<a@x.test>", "250 2.1.0 Ok"), ("mail from: <a@x.test>", "250 2.1.0 Ok"), ("MAIL FROM:<>", "250 2.1.0 Ok"),
        ("MAIL FROM:a@x.test", "250 2.1.0 Ok"), ('MAIL FROM:<"a b"@x.test>', "250 2.1.0 Ok"),
        ("MAIL", "501 5.5.4 Syntax: MAIL FROM:<address>"), ("MAIL TO:<a@b>", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        ("MAIL FROM:", "501 5.5.4 Syntax: MAIL FROM:<address>"), ("MAIL FROM:<a@b", "501 5.1.7 Bad sender address syntax"),
        ("MAIL FROM:<a@b..c>", "501 5.1.7 Bad sender address syntax"), ("MAIL FROM:<a@b> FOO=x", "555 5.5.4 Unsupported option: FOO=x"),
        ("MAIL FROM:<a@b> SIZE=x", "501 5.5.4 Bad message size syntax"), ("MAIL FROM:<a@b> BODY=x", "555 5.5.4 Unsupported option: BODY=x"),
        ("MAIL FROM:<a@b> SIZE=99999999", "552 5.3.4 Message size exceeds fixed limit"),
        ("MAIL FROM:<a@b> BODY=8BITMIME SIZE=100 RET=HDRS ENVID=x", "250 2.1.0 Ok"),
    ],
)  # fmt: skip
def test_senders(monkeypatch: Any, line: str, reply: str) -> None:
    assert converse(monkeypatch, EHLO, line).replies[-1].split(":")[0] == reply.split(":", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (RCPT, "250 2.1.5 Ok"), ("rcpt to: user@ours.example", "250 2.1.5 Ok"), ("RCPT", "501 5.5.4 Syntax: RCPT TO:<address>"),
        ("RCPT FROM:<a@b>", "501 5.5.4 Syntax: RCPT TO:<address>"), ("RCPT TO:<>", "501 5.1.3 Bad recipient address syntax"),
        ("RCPT TO:<a@b", "501 5.1.3 Bad recipient address syntax"), ("RCPT TO:<a@b..c>", "501 5.1.3 Bad recipient address syntax"),
        (f"{RCPT} FOO=x", "555 5.5.4 Unsupported option"), (f"{RCPT} NOTIFY=NEVER ORCPT=rfc822;o@x", "250 2.1.5 Ok"),
        (f"{RCPT} NOTIFY=x", "501 5.5.4 Error"), (f"{RCPT} NOTIFY=NEVER,SUCCESS", "501 5.5.4 Error"),
    ],
)  # fmt: skip
def test_recipients(monkeypatch: Any, line: str, reply: str) -> None:
    assert converse(monkeypatch, EHLO, MAIL, line).replies[-1].split(":")[0].startswith(reply.split(":", maxsplit=1)[0])


@pytest.mark.parametrize(
    ("lines", "reply"),
    [
        ([RCPT], "503 5.5.1 Error: need MAIL command"), ([MAIL, MAIL], "503 5.5.1 Error: nested MAIL command"),
        ([MAIL, RCPT, MAIL], "503 5.5.1 Error: nested MAIL command"), ([MAIL, "RSET", MAIL], "250 2.1.0 Ok"),
        (["MAIL FROM:<a@b..c>", MAIL], "250 2.1.0 Ok"), ([MAIL, "RCPT TO:<x@y.z>", RCPT], "250 2.1.5 Ok"),
    ],
)  # fmt: skip
def test_order(monkeypatch: Any, lines: list[str], reply: str) -> None:
    assert converse(monkeypatch, EHLO, *lines).replies[-1] == reply


def test_hello_may_be_required(monkeypatch: Any) -> None:
    main = {"smtpd_helo_required": "yes"}
    assert converse(monkeypatch, MAIL, main=main).replies[-1] == "503 5.5.1 Error: send HELO/EHLO first"
    assert converse(monkeypatch, MAIL).replies[-1] == "250 2.1.0 Ok"


def test_illegal_addresses_are_logged(monkeypatch: Any) -> None:
    found = converse(monkeypatch, EHLO, MAIL, "RCPT TO:<a@b..c>")
    assert "warning: Illegal address syntax from client.example[198.51.100.7] in RCPT command: <a@b..c>" in found.lines


def test_too_many_recipients(monkeypatch: Any) -> None:
    main = {"smtpd_recipient_limit": "2", "smtpd_recipient_overshoot_limit": "2", "smtpd_hard_error_limit": "20"}
    found = converse(monkeypatch, EHLO, MAIL, *[RCPT] * 6, "QUIT", main=main)
    assert found.replies[-7:-1] == ["250 2.1.5 Ok"] * 2 + ["452 4.5.3 Error: too many recipients"] * 4
    assert " rcpt=4/6 " in found.lines[-1], "the first two too many are no errors"


def test_no_room(monkeypatch: Any) -> None:
    monkeypatch.setattr("pyfix.daemons.smtpd.server.has_room", lambda *_arguments: False)
    monkeypatch.setattr("pyfix.daemons.smtpd.envelope.free_bytes", lambda: 123)
    found = converse(monkeypatch, EHLO, MAIL)
    assert found.replies[-1] == "452 4.3.1 Insufficient system storage"
    assert any(line.startswith("warning: not enough free space in mail queue: 123 bytes < 1.5*") for line in found.lines)


def test_a_size_that_was_refused_still_counts(monkeypatch: Any) -> None:
    found = converse(monkeypatch, EHLO, "MAIL FROM:<a@b> SIZE=200", MAIL, main={"message_size_limit": "100"})
    assert found.replies[-2:] == ["552 5.3.4 Message size exceeds fixed limit"] * 2


@pytest.mark.parametrize(
    ("lines", "main", "reply"),
    [
        (["MAIL FROM:<é@x.test>"], {}, "250 2.1.0 Ok"),
        (["MAIL FROM:<é@x.test>"], {"strict_smtputf8": "yes"}, "553 5.6.7 Must declare SMTPUTF8 to send unicode address"),
        (["MAIL FROM:<é@x.test> SMTPUTF8"], {"strict_smtputf8": "yes"}, "250 2.1.0 Ok"),
        (["MAIL FROM:<a@é.test>"], {}, "501 5.1.7 Bad sender address syntax"),
        (["MAIL FROM:<a@é.test> SMTPUTF8"], {}, "250 2.1.0 Ok"),
        (["MAIL FROM:<a@b> SMTPUTF8"], {"smtputf8_enable": "no"}, "555 5.5.4 Unsupported option: SMTPUTF8"),
        ([MAIL, "RCPT TO:<é@ours.example>"], {"strict_smtputf8": "yes"}, "553 5.6.7 Must declare SMTPUTF8 to send unicode address"),
    ],
)
def test_unicode(monkeypatch: Any, lines: list[str], main: dict[str, str], reply: str) -> None:
    assert converse(monkeypatch, EHLO, *lines, main=main).replies[-1] == reply


def test_a_sender_that_is_refused_without_delay(monkeypatch: Any) -> None:
    main = {"smtpd_sender_restrictions": "reject", "smtpd_delay_reject": "no"}
    found = converse(monkeypatch, EHLO, MAIL, RCPT, main=main)
    assert found.replies[-2:] == [
        "554 5.7.1 <a@x.test>: Sender address rejected: Access denied", "503 5.5.1 Error: need MAIL command",
    ]  # fmt: skip


def test_the_message_may_be_opened_early(monkeypatch: Any) -> None:
    found = converse(monkeypatch, EHLO, MAIL, "QUIT", main={"smtpd_delay_open_until_valid_rcpt": "no"})
    assert [message.state for message in found.messages] == ["canceled"]
    assert converse(monkeypatch, EHLO, MAIL, "QUIT").messages == []


def test_delivery_status_notifications_may_be_hidden(monkeypatch: Any) -> None:
    main = {"smtpd_discard_ehlo_keywords": "dsn"}
    found = converse(monkeypatch, EHLO, "MAIL FROM:<a@b> RET=HDRS", MAIL, f"{RCPT} NOTIFY=NEVER", main=main)
    assert found.replies[-3] == "501 5.7.1 DSN support is disabled" == found.replies[-1]
