"""What the lists of clients in main.cf allow, and what is done while they cannot be asked."""

from __future__ import annotations

from typing import Any

import pytest

from .fakes import converse

ME = "198.51.100.7"
MAIL = ["EHLO x", "MAIL FROM:<a@x>", "RCPT TO:<user@ours.example>"]
LOST = "421 4.3.0 mail.ours.example Server local data error"


@pytest.mark.parametrize(
    ("main", "line", "reply"),
    [
        ({"smtpd_authorized_xclient_hosts": "fail:x"}, "XCLIENT NAME=a", LOST),
        ({"smtpd_authorized_xclient_hosts": "fail:x"}, "EHLO x", LOST),
        ({"smtpd_authorized_xclient_hosts": "fail:x"}, "HELO x", "250 mail.ours.example"),
        ({"smtpd_authorized_xforward_hosts": "fail:x"}, "XFORWARD NAME=a", LOST),
        ({"smtpd_authorized_verp_clients": "fail:x"}, "EHLO x", LOST),
    ],
)  # fmt: skip
def test_lists_that_cannot_be_asked(monkeypatch: Any, main: dict[str, str], line: str, reply: str) -> None:
    """Neither too much nor too little is allowed: the session ends where it would matter."""
    found = converse(monkeypatch, line, "NOOP", main=main)
    assert (reply if reply == LOST else "250 2.0.0 Ok") == found.replies[-1]
    if reply == LOST:
        assert any(f": reject: {line.split(maxsplit=1)[0]} from client.example[{ME}]: {LOST}" in text for text in found.lines)


def test_a_keyword_that_is_hidden_needs_no_answer(monkeypatch: Any) -> None:
    main = {"smtpd_authorized_xclient_hosts": "fail:x", "smtpd_discard_ehlo_keywords": "xclient, silent-discard"}
    assert converse(monkeypatch, "EHLO x", main=main).replies[-1].startswith("250 ")


@pytest.mark.parametrize(("clients", "allowed"), [(ME, True), ("client.example", True), ("198.51.100.0/24", True), ("192.0.2.1", False), ("", False)])
def test_who_may_say_xclient(monkeypatch: Any, clients: str, allowed: bool) -> None:
    found = converse(monkeypatch, "XCLIENT NAME=a", main={"smtpd_authorized_xclient_hosts": clients})
    assert found.replies[-1].startswith("220 " if allowed else "550 5.7.0 ")


@pytest.mark.parametrize(
    ("main", "reply"),
    [
        ({"smtpd_forbid_bare_newline": "reject"}, "550 5.5.2 mail.ours.example Error: bare <LF> received"),
        ({"smtpd_forbid_bare_newline": "reject", "smtpd_forbid_bare_newline_exclusions": ME}, "250 2.0.0 Ok"),
        ({"smtpd_forbid_bare_newline": "reject", "smtpd_forbid_bare_newline_exclusions": "fail:x"},
         "550 5.5.2 mail.ours.example Error: bare <LF> received"),
        ({"smtpd_forbid_bare_newline": "no"}, "250 2.0.0 Ok"),
    ],
)  # fmt: skip
def test_bare_newlines(monkeypatch: Any, main: dict[str, str], reply: str) -> None:
    assert converse(monkeypatch, b"NOOP\n", main=main).replies[-1] == reply


def test_forwarding_rights_stay_with_the_connection(monkeypatch: Any) -> None:
    """After XCLIENT the client that is really there may still forward, and the one it named may not say XCLIENT."""
    main = {"smtpd_authorized_xclient_hosts": ME, "smtpd_authorized_xforward_hosts": ME}
    found = converse(monkeypatch, "XCLIENT ADDR=203.0.113.5", "XFORWARD NAME=a", "XCLIENT ADDR=203.0.113.6", main=main)
    assert found.replies[-2:] == ["250 2.0.0 Ok", "550 5.7.0 Error: insufficient authorization"]
