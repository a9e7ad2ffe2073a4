"""Commands that begin nothing; what the reference says is in tests/parity/smtpd/test_commands.py."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.protocols.internal.flush import BAD, DENIED, FAILED, OK

from .fakes import Conversation, converse


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("NOOP", "250 2.0.0 Ok"), ("NOOP with words", "250 2.0.0 Ok"), ("RSET", "250 2.0.0 Ok"),
        ("RSET x", "501 5.5.4 Syntax: RSET"), ("QUIT", "221 2.0.0 Bye"), ("QUIT x", "221 2.0.0 Bye"),
        ("STARTTLS x", "501 5.5.4 Syntax: STARTTLS"), ("STARTTLS", "502 5.5.1 Error: command not implemented"),
        ("AUTH", "503 5.5.1 Error: authentication not enabled"), ("VRFY", "501 5.5.4 Syntax: VRFY address [SMTPUTF8]"),
        ("VRFY user@ours.example", "252 2.0.0 user@ours.example"), ("VRFY <user@ours.example>", "252 2.0.0 <user@ours.example>"),
        ("VRFY a@b..c", "501 5.1.3 Bad recipient address syntax"), ("VRFY <>", "501 5.1.3 Bad recipient address syntax"),
        ("VRFY x@ours.example", "550 5.1.1 <x@ours.example>: Recipient address rejected: User unknown in virtual mailbox table"),
        ("VRFY a@elsewhere.example", "554 5.7.1 <a@elsewhere.example>: Relay access denied"),
        ("ETRN", "500 Syntax: ETRN domain"), ("ETRN a b", "500 Syntax: ETRN domain"),
        ("ETRN -bad-", "501 Error: invalid parameter syntax"), ("ETRN x.example", "459 <x.example>: service unavailable"),
    ],
)  # fmt: skip
def test_replies(monkeypatch: Any, line: str, reply: str) -> None:
    assert converse(monkeypatch, line).replies[-1] == reply


def test_nothing_is_served_after_quit(monkeypatch: Any) -> None:
    assert converse(monkeypatch, "EHLO x", b"QUIT\r\nNOOP\r\n").replies[-1] == "221 2.0.0 Bye"


def test_rset_takes_a_message_back(monkeypatch: Any) -> None:
    found = converse(monkeypatch, "EHLO x", "MAIL FROM:<a@b>", "RCPT TO:<user@ours.example>", "RSET", "RCPT TO:<user@ours.example>")
    assert found.messages[0].state == "canceled"
    assert found.replies[-1] == "503 5.5.1 Error: need MAIL command"


def test_vrfy_changes_nothing(monkeypatch: Any) -> None:
    found = converse(monkeypatch, "EHLO x", "MAIL FROM:<a@b>", "VRFY user@ours.example", "DATA")
    assert found.replies[-1] == "554 5.5.1 Error: no valid recipients"


@pytest.mark.parametrize(
    ("line", "main", "reply"),
    [
        ("VRFY x", {"disable_vrfy_command": "yes"}, "502 5.5.1 VRFY command is disabled"),
        ("VRFY é@ours.example", {"strict_smtputf8": "yes"}, "553 5.6.7 Must declare SMTPUTF8 to send unicode address"),
        ("VRFY é@ours.example SMTPUTF8", {"strict_smtputf8": "yes", "virtual_mailbox_maps": ""}, "252 2.0.0 é@ours.example"),
        ("VRFY", {"smtputf8_enable": "no"}, "501 5.5.4 Syntax: VRFY address"),
        ("ETRN x.example", {"smtpd_helo_required": "yes"}, "503 Error: send HELO/EHLO first"),
        ("ETRN x.example", {"smtpd_etrn_restrictions": "reject"}, "554 5.7.1 <x.example>: Etrn command rejected: Access denied"),
        ("ETRN x.example", {"fast_flush_domains": "fail:x"}, "458 Unable to queue messages"),
    ],
)
def test_settings(monkeypatch: Any, line: str, main: dict[str, str], reply: str) -> None:
    assert converse(monkeypatch, line, main=main).replies[-1] == reply


def etrn(monkeypatch: Any, status: int, line: str = "ETRN x.example") -> tuple[Conversation, list[str]]:
    asked: list[str] = []

    async def send_site(_self: object, site: str) -> int:
        asked.append(site)
        return status

    monkeypatch.setattr("pyfix.clients.flush.FlushClient.send_site", send_site)
    return converse(monkeypatch, line, main={"fast_flush_domains": "x.example, [192.0.2.1]"}), asked


@pytest.mark.parametrize(
    ("status", "reply", "line"),
    [
        (OK, "250 Queuing started", ""),
        (DENIED, "459 <x.example>: service unavailable", "warning: reject: ETRN x.example... from client.example[198.51.100.7]"),
        (BAD, "458 Unable to queue messages", "warning: bad ETRN x.example... from client.example[198.51.100.7]"),
        (FAILED, "458 Unable to queue messages", "warning: unable to talk to fast flush service"),
    ],
)
def test_what_flush_says(monkeypatch: Any, status: int, reply: str, line: str) -> None:
    found, asked = etrn(monkeypatch, status)
    assert (found.replies[-1], asked) == (reply, ["x.example"])
    assert not line or line in found.lines


@pytest.mark.parametrize("line", ["ETRN @x.example", "ETRN #x.example"])
def test_marks_before_the_domain(monkeypatch: Any, line: str) -> None:
    assert etrn(monkeypatch, OK, line)[1] == ["x.example"]


def test_etrn_amid_a_mail(monkeypatch: Any) -> None:
    assert converse(monkeypatch, "EHLO x", "MAIL FROM:<a@b>", "ETRN x.example").replies[-1] == "503 Error: MAIL transaction in progress"
