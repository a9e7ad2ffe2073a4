"""BDAT, with prepared clients; what the reference says is in tests/parity/smtpd/test_content.py."""

from __future__ import annotations

from typing import Any

import pytest

from .fakes import Conversation, converse

ENVELOPE = ["EHLO client.test", "MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>"]


def content(found: Conversation, at: int = 0) -> list[tuple[str, bytes]]:
    records = found.messages[at].records
    kinds = [kind for kind, _data in records]
    return records[kinds.index("M") + 4 : kinds.index("X")]


@pytest.mark.parametrize("cut", range(1, 12))
def test_chunks_in_any_pieces(monkeypatch: Any, cut: int) -> None:
    data = b"BDAT 6\r\nab\r\ncdBDAT 4 LAST\r\nef\r\nQUIT\r\n"
    found = converse(monkeypatch, *ENVELOPE, *[data[at : at + cut] for at in range(0, len(data), cut)])
    assert found.replies[-3:] == ["250 2.0.0 Ok: 6 bytes", "250 2.0.0 Ok: 10 bytes queued as ABCDEF1234", "221 2.0.0 Bye"]
    assert content(found) == [("N", b"ab"), ("N", b"cdef")]


def test_an_empty_last_chunk(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE, b"BDAT 4\r\nab\r\n", "BDAT 0 LAST")
    assert found.replies[-1] == "250 2.0.0 Ok: 4 bytes queued as ABCDEF1234"


def test_a_dot_means_nothing(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE, b"BDAT 8 LAST\r\n.\r\n..\r\nx")
    assert content(found) == [("N", b"."), ("N", b".."), ("N", b"x")]


@pytest.mark.parametrize("line", ["BDAT", "BDAT x", "BDAT -1", "BDAT 1 FIRST", "BDAT 1 LAST x", "BDAT 99999999999999999999", "BDAT ٣"])
def test_syntax(monkeypatch: Any, line: str) -> None:
    found = converse(monkeypatch, *ENVELOPE, line)
    assert found.replies[-1] == "521 5.5.4 Syntax: BDAT count [LAST]"
    assert any("malformed BDAT command syntax from client.example[198.51.100.7]: BDAT" in text for text in found.lines)


@pytest.mark.parametrize(
    ("before", "reply"),
    [
        (["EHLO x"], "503 5.5.1 Error: need RCPT command"), (ENVELOPE[:2], "554 5.5.1 Error: no valid recipients"),
    ],
)  # fmt: skip
def test_chunks_that_nobody_wants_are_read_all_the_same(monkeypatch: Any, before: list[str], reply: str) -> None:
    """A client may send many chunks before it reads the first refusal: none is taken for a command."""
    found = converse(monkeypatch, *before, b"BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nRSET\r\n", "NOOP")
    assert found.replies[-3:] == [reply, "551 5.0.0 Discarded 6 bytes after earlier error", "250 2.0.0 Ok"]
    assert found.messages == []


def test_a_refusal_of_the_data_list(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE, b"BDAT 2\r\nab", main={"smtpd_data_restrictions": "reject"})
    assert found.replies[-1] == "554 5.7.1 <DATA>: Data command rejected: Access denied"


def test_null_requests(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE, "BDAT 0", b"BDAT 2 LAST\r\nab", "NOOP")
    assert found.replies[-3:] == [
        "551 5.7.1 Null BDAT request", "551 5.0.0 Discarded 2 bytes after earlier error", "250 2.0.0 Ok",
    ]  # fmt: skip
    assert "warning: ABCDEF1234: null BDAT request from client.example[198.51.100.7]" in found.lines


@pytest.mark.parametrize("data", [b"BDAT 150\r\n" + b"x" * 150, b"BDAT 62\r\n" + b"x" * 60 + b"\r\nBDAT 60\r\n" + b"x" * 60])
def test_size_limit(monkeypatch: Any, data: bytes) -> None:
    found = converse(monkeypatch, *ENVELOPE, data, "NOOP", main={"message_size_limit": "100"})
    assert found.replies[-2:] == ["552 5.3.4 Chunk exceeds message size limit", "250 2.0.0 Ok"]


@pytest.mark.parametrize("last", [b"", b" LAST"])
def test_too_much_ends_the_session(monkeypatch: Any, last: bytes) -> None:
    found = converse(monkeypatch, *ENVELOPE, b"BDAT 151%b\r\n" % last + b"NOOP\r\n" * 20, "NOOP", main={"message_size_limit": "100"})
    assert found.replies[-1] == "552 5.3.4 Chunk exceeds message size limit"
    assert found.lines[-3].startswith("warning: ABCDEF1234: too much BDAT content -- disabling further input from")
    queue_id = "NOQUEUE" if last else "ABCDEF1234"
    assert found.lines[-2] == f"{queue_id}: lost connection after BDAT from client.example[198.51.100.7]"


def test_too_big_before_the_last_chunk(monkeypatch: Any) -> None:
    data = [b"BDAT 90\r\n" + b"x" * 90 for _ in range(23)]
    found = converse(monkeypatch, *ENVELOPE, *data, "RSET", main={"message_size_limit": "100"})
    assert found.replies[-3:] == [
        "250 2.0.0 Ok: 90 bytes", "552 5.3.4 Error: message file too big", "250 2.0.0 Ok",
    ]  # fmt: skip
    assert found.messages[0].state == "canceled"


def test_other_commands_amid_chunks(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE, b"BDAT 4\r\nab\r\n", "DATA", "MAIL FROM:<b@x>", "RCPT TO:<user@ours.example>", "RSET", "NOOP")
    assert found.replies[-5:] == [
        "503 5.5.1 Error: DATA after BDAT", "503 5.5.1 Error: nested MAIL command", "503 5.5.1 Error: RCPT after BDAT",
        "250 2.0.0 Ok", "250 2.0.0 Ok",
    ]  # fmt: skip
    assert found.messages[0].state == "canceled"


def test_a_client_that_vanishes_amid_a_chunk(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE, b"BDAT 100\r\nabc")
    assert found.lines[-2] == "ABCDEF1234: lost connection after BDAT (3 bytes) from client.example[198.51.100.7]"
    assert found.messages[0].state == "canceled"


@pytest.mark.parametrize(
    ("mode", "reply"),
    [
        ("normalize", "250 2.0.0 Ok: 9 bytes queued as ABCDEF1234"), ("note", "250 2.0.0 Ok: 9 bytes queued as ABCDEF1234"),
        ("reject", "550 5.5.2 mail.ours.example Error: bare <LF> received"),
    ],
)  # fmt: skip
def test_bare_newlines(monkeypatch: Any, mode: str, reply: str) -> None:
    found = converse(monkeypatch, *ENVELOPE, b"BDAT 6 LAST\r\na\nb\nc\n", main={"smtpd_forbid_bare_newline": mode})
    assert found.replies[-1] == reply


def test_a_bare_newline_in_an_early_chunk(monkeypatch: Any) -> None:
    found = converse(
        monkeypatch, *ENVELOPE, b"BDAT 4\r\na\nb\nBDAT 2 LAST\r\nxy", main={"smtpd_forbid_bare_newline": "reject"}
    )
    assert found.replies[-2:] == [
        "550 5.5.2 mail.ours.example Error: bare <LF> received", "551 5.0.0 Discarded 2 bytes after earlier error",
    ]  # fmt: skip


def test_two_messages(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE, b"BDAT 2 LAST\r\nab", *ENVELOPE[1:], b"BDAT 2 LAST\r\ncd")
    assert content(found) != content(found, 1) and len(found.messages) == 2
