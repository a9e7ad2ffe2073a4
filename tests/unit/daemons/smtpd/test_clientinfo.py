"""XCLIENT and XFORWARD, with prepared clients; what the reference says is in tests/parity/smtpd/test_clientinfo.py."""

from __future__ import annotations

from typing import Any

import pytest

from .fakes import Conversation, converse

XCLIENT = {"smtpd_authorized_xclient_hosts": "198.51.100.7"}
XFORWARD = {"smtpd_authorized_xforward_hosts": "198.51.100.7"}
MAIL = ["MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>"]


def attributes(found: Conversation) -> dict[str, str]:
    pairs = [data.decode().partition("=") for kind, data in found.messages[-1].records if kind == "A"]
    return {name: value for name, _, value in pairs}


def test_another_client(monkeypatch: Any) -> None:
    found = converse(
        monkeypatch, "XCLIENT NAME=other.example ADDR=192.0.2.5 PORT=99 HELO=h.test PROTO=ESMTP DESTADDR=192.0.2.9", *MAIL,
        "QUIT", main=XCLIENT,
    )  # fmt: skip
    assert found.replies[:2] == ["220 mail.ours.example ESMTP Postfix"] * 2
    seen = attributes(found)
    assert (seen["client_name"], seen["client_address"], seen["client_port"]) == ("other.example", "192.0.2.5", "99")
    assert (seen["reverse_client_name"], seen["helo_name"], seen["server_address"]) == ("other.example", "h.test", "192.0.2.9")
    assert seen["protocol_name"] == "ESMTP"
    assert found.lines[-1].startswith("disconnect from other.example[192.0.2.5] ")


@pytest.mark.parametrize(("value", "name"), [("[UNAVAILABLE]", "unknown"), ("[TEMPUNAVAIL]", "unknown")])
def test_unknown_names(monkeypatch: Any, value: str, name: str) -> None:
    found = converse(monkeypatch, f"XCLIENT NAME={value}", "EHLO x", *MAIL, main=XCLIENT)
    assert attributes(found)["client_name"] == name


def test_the_new_client_has_its_own_rights(monkeypatch: Any) -> None:
    """Networks count as for the address that was named, and the right to say XCLIENT again too."""
    found = converse(
        monkeypatch, "XCLIENT ADDR=192.0.2.5", "EHLO x", "MAIL FROM:<a@x>", "RCPT TO:<a@elsewhere.example>", "RSET",
        "XCLIENT ADDR=198.51.100.7", main=XCLIENT,
    )  # fmt: skip
    assert found.replies[-3:] == ["250 2.1.5 Ok", "250 2.0.0 Ok", "550 5.7.0 Error: insufficient authorization"]


def test_login(monkeypatch: Any) -> None:
    found = converse(monkeypatch, "XCLIENT LOGIN=joe", "EHLO x", *MAIL, "RSET", "XCLIENT LOGIN=[UNAVAILABLE]", "EHLO x", *MAIL, main=XCLIENT)
    assert "ABCDEF1234: client=client.example[198.51.100.7], sasl_method=XCLIENT, sasl_username=joe" in found.lines
    assert "sasl_username" not in attributes(found)


@pytest.mark.parametrize(
    ("lines", "reply"),
    [
        (["XCLIENT NAME=a", "RSET"], "250 2.0.0 Ok"),
        (["XCLIENT"], "501 5.5.4 Syntax: XCLIENT attribute=value..."),
        (["XCLIENT FOO=x"], "501 5.5.4 Bad XCLIENT attribute name: FOO"),
        (["XCLIENT ADDR=x"], "501 5.5.4 Bad ADDR syntax: x"),
        (["XCLIENT PROTO=x"], "501 5.5.4 Bad PROTO syntax: x"),
        (["EHLO x", "MAIL FROM:<a@b>", "XCLIENT NAME=a"], "503 5.5.1 Error: MAIL transaction in progress"),
        (["XFORWARD NAME=a"], "550 5.7.0 Error: insufficient authorization"),
    ],
)
def test_refusals(monkeypatch: Any, lines: list[str], reply: str) -> None:
    assert converse(monkeypatch, *lines, main=XCLIENT).replies[-1] == reply


def test_forwarded_clients(monkeypatch: Any) -> None:
    found = converse(
        monkeypatch, "EHLO x", "XFORWARD NAME=a.b ADDR=192.0.2.9 PORT=77", "XFORWARD HELO=h PROTO=SMTP IDENT=Q1 SOURCE=LOCAL",
        *MAIL, main=XFORWARD,
    )  # fmt: skip
    assert found.replies[-4:] == ["250 2.0.0 Ok", "250 2.0.0 Ok", "250 2.1.0 Ok", "250 2.1.5 Ok"]
    seen = attributes(found)
    assert (seen["log_client_name"], seen["log_client_address"], seen["log_client_port"]) == ("a.b", "192.0.2.9", "77")
    assert (seen["log_helo_name"], seen["log_protocol_name"], seen["log_ident"]) == ("h", "SMTP", "Q1")
    assert (seen["rewrite_context"], seen["client_name"]) == ("local", "client.example")
    line = "ABCDEF1234: client=client.example[198.51.100.7], orig_queue_id=Q1, orig_client=a.b[192.0.2.9]"
    assert line in found.lines


@pytest.mark.parametrize(
    ("lines", "reply"),
    [
        (["XFORWARD"], "501 5.5.4 Syntax: XFORWARD attribute=value..."),
        (["XFORWARD FOO=x"], "501 5.5.4 Bad XFORWARD attribute name: FOO"),
        (["XFORWARD SOURCE=x"], "501 5.5.4 Bad SOURCE syntax: x"),
        (["EHLO x", "MAIL FROM:<a@b>", "XFORWARD NAME=a"], "503 5.5.1 Error: MAIL transaction in progress"),
        (["XCLIENT NAME=a"], "550 5.7.0 Error: insufficient authorization"),
    ],
)
def test_refusals_of_forwarding(monkeypatch: Any, lines: list[str], reply: str) -> None:
    assert converse(monkeypatch, *lines, main=XFORWARD).replies[-1] == reply
