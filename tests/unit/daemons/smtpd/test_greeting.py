"""HELO and EHLO, with prepared clients; what the reference says is in tests/parity/smtpd/test_commands.py."""

from __future__ import annotations

from typing import Any

import pytest

from .fakes import converse


def offers(monkeypatch: Any, **main: str) -> list[str]:
    return [line[4:] for line in converse(monkeypatch, "EHLO x", main=main).replies[1:]]


def test_offers(monkeypatch: Any) -> None:
    assert offers(monkeypatch) == [
        "mail.ours.example", "PIPELINING", "SIZE 10240000", "VRFY", "ETRN", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN",
        "SMTPUTF8", "CHUNKING",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("main", "gone"),
    [
        ({"disable_vrfy_command": "yes"}, {"VRFY"}), ({"smtputf8_enable": "no"}, {"SMTPUTF8"}),
        ({"smtpd_discard_ehlo_keywords": "pipelining, ETRN silent-discard"}, {"PIPELINING", "ETRN"}),
        ({"smtpd_discard_ehlo_keyword_address_maps": "inline:{198.51.100.7=chunking}"}, {"CHUNKING"}),
        ({"smtpd_discard_ehlo_keyword_address_maps": "inline:{192.0.2.1=chunking}"}, set()),
    ],
)  # fmt: skip
def test_what_is_not_offered(monkeypatch: Any, main: dict[str, str], gone: set[str]) -> None:
    assert set(offers(monkeypatch)) - set(offers(monkeypatch, **main)) == gone


def test_no_size_limit(monkeypatch: Any) -> None:
    assert "SIZE" in offers(monkeypatch, message_size_limit="0")


def test_offers_for_some_clients(monkeypatch: Any) -> None:
    me = "198.51.100.7"
    found = offers(monkeypatch, smtpd_authorized_verp_clients=me, smtpd_authorized_xclient_hosts=me, smtpd_authorized_xforward_hosts=me)
    assert "XVERP" in found
    assert "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT" in found
    assert "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT" in found


def test_discarded_keywords_are_logged_unless_silent(monkeypatch: Any) -> None:
    found = converse(monkeypatch, "EHLO x", main={"smtpd_discard_ehlo_keywords": "etrn, dsn"})
    assert [line for line in found.lines if "discarding" in line] == ["discarding EHLO keywords: ETRN, DSN"]
    silent = converse(monkeypatch, "EHLO x", main={"smtpd_discard_ehlo_keywords": "etrn, silent-discard"})
    assert not any("discarding" in line for line in silent.lines)


def test_helo(monkeypatch: Any) -> None:
    assert converse(monkeypatch, "HELO x").replies[-1] == "250 mail.ours.example"


@pytest.mark.parametrize(("line", "reply"), [("HELO", "501 Syntax: HELO hostname"), ("EHLO", "501 Syntax: EHLO hostname")])
def test_syntax(monkeypatch: Any, line: str, reply: str) -> None:
    assert converse(monkeypatch, line).replies[-1] == reply


def test_a_greeting_begins_anew(monkeypatch: Any) -> None:
    found = converse(monkeypatch, "EHLO x", "MAIL FROM:<a@b>", "RCPT TO:<user@ours.example>", "EHLO y", "DATA")
    assert found.replies[-1] == "503 5.5.1 Error: need RCPT command"
    assert found.messages[0].state == "canceled"


def test_names_are_made_safe_for_the_log(monkeypatch: Any) -> None:
    found = converse(monkeypatch, b"EHLO a(b)<c>,d\r\n", "MAIL FROM:<a@x>", "RCPT TO:<user@ours.example>")
    assert ("A", b"helo_name=a?b??c??d") in found.messages[0].records


def test_a_refusal_without_delay(monkeypatch: Any) -> None:
    main = {"smtpd_helo_restrictions": "reject", "smtpd_delay_reject": "no"}
    found = converse(monkeypatch, "EHLO h", "HELO h", "NOOP", main=main)
    assert found.replies[1:] == ["554 5.7.1 <h>: Helo command rejected: Access denied"] * 2 + ["250 2.0.0 Ok"]


def test_a_table_of_keywords_that_fails_ends_the_session(monkeypatch: Any) -> None:
    main = {"smtpd_discard_ehlo_keyword_address_maps": "fail:x"}
    found = converse(monkeypatch, "EHLO x", "NOOP", main=main)
    assert found.replies[-1] == "421 4.3.0 mail.ours.example Server local data error"
    assert converse(monkeypatch, "HELO x", main=main).replies[-1] == "250 mail.ours.example"
