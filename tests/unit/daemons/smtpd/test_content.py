"""DATA and the end of a message, with prepared clients; parity is in tests/parity/smtpd/test_content.py."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.formats import status as bits
from pyfix.runtime.ipc import ServiceError

from .fakes import Conversation, FakeMessage, converse

ENVELOPE = ["EHLO client.test", "MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>"]
BODY = b"Subject: hi\r\n\r\nbody\r\n.\r\n"


def lines(found: Conversation) -> list[tuple[str, bytes]]:
    records = found.messages[0].records
    kinds = [kind for kind, _data in records]
    return records[kinds.index("M") + 4 : kinds.index("X")]


@pytest.mark.parametrize(
    ("data", "records"),
    [
        (b"a\r\n.\r\n", [("N", b"a")]), (b".\r\n", []), (b"..\r\n...\r\n.a\r\n.\r\n", [("N", b"."), ("N", b".."), ("N", b"a")]),
        (b"\r\n\r\n.\r\n", [("N", b""), ("N", b"")]), (b"a\0\xff\r\n.\r\n", [("N", b"a\0\xff")]),
        (b"x" * 3000 + b"\r\n.\r\n", [("L", b"x" * 2048), ("N", b"x" * 952)]),
    ],
)  # fmt: skip
def test_lines(monkeypatch: Any, data: bytes, records: list[tuple[str, bytes]]) -> None:
    found = converse(monkeypatch, *ENVELOPE, "DATA", data)
    assert found.replies[-1] == "250 2.0.0 Ok: queued as ABCDEF1234"
    assert lines(found) == records


@pytest.mark.parametrize("cut", range(1, 8))
def test_pieces_do_not_matter(monkeypatch: Any, cut: int) -> None:
    data = b"..a\r\n\r\nb\r\n.\r\nQUIT\r\n"
    found = converse(monkeypatch, *ENVELOPE, "DATA", *[data[at : at + cut] for at in range(0, len(data), cut)])
    assert lines(found) == [("N", b".a"), ("N", b""), ("N", b"b")]
    assert found.replies[-1] == "221 2.0.0 Bye"


@pytest.mark.parametrize("end", [b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r"])
def test_what_is_no_end_of_data(monkeypatch: Any, end: bytes) -> None:
    """Else a message could hide another one in itself, for a server that sees the end elsewhere."""
    found = converse(
        monkeypatch, *ENVELOPE, "DATA", b"a" + end + b"MAIL FROM:<evil@x>\r\n.\r\n", main={"smtpd_forbid_bare_newline": "normalize"}
    )
    assert len(found.messages) == 1
    assert any(b"MAIL FROM" in data for _kind, data in lines(found))


@pytest.mark.parametrize(
    ("before", "line", "reply"),
    [
        ([], "DATA", "503 5.5.1 Error: need RCPT command"), (ENVELOPE[:2], "DATA", "554 5.5.1 Error: no valid recipients"),
        (ENVELOPE, "DATA x", "501 5.5.4 Syntax: DATA"),
    ],
)  # fmt: skip
def test_refusals(monkeypatch: Any, before: list[str], line: str, reply: str) -> None:
    assert converse(monkeypatch, *before, line).replies[-1] == reply


@pytest.mark.parametrize(
    ("main", "reply"),
    [
        ({"smtpd_data_restrictions": "reject"}, "554 5.7.1 <DATA>: Data command rejected: Access denied"),
        ({"smtpd_end_of_data_restrictions": "defer"}, "450 4.3.2 <END-OF-MESSAGE>: End-of-data rejected: Try again later"),
    ],
)
def test_restrictions(monkeypatch: Any, main: dict[str, str], reply: str) -> None:
    found = converse(monkeypatch, *ENVELOPE, "DATA", BODY, main=main)
    assert reply in found.replies
    assert found.messages[0].state == "canceled"


@pytest.mark.parametrize(
    ("status", "reply"),
    [
        (bits.WRITE, "451 4.3.0 Error: queue file write error"), (bits.SIZE, "552 5.3.4 Error: message file too big"),
        (bits.HOPS, "554 5.4.0 Error: too many hops"), (bits.BAD, "451 4.3.0 Error: internal error"),
    ],
)  # fmt: skip
def test_what_cleanup_says(monkeypatch: Any, status: int, reply: str) -> None:
    found = converse(monkeypatch, *ENVELOPE, "DATA", BODY, "NOOP", status=status)
    assert found.replies[-1] == "250 2.0.0 Ok"
    assert found.replies[-2].split(" Error")[0].split()[0] == reply.split(maxsplit=1)[0]


@pytest.mark.parametrize("method", ["finish", "relieve"])
def test_a_cleanup_that_is_lost(monkeypatch: Any, method: str) -> None:
    async def lost(_self: object) -> None:
        raise ServiceError("broken pipe")

    monkeypatch.setattr(FakeMessage, method, lost)
    found = converse(monkeypatch, *ENVELOPE, "DATA", BODY, "NOOP")
    assert found.replies[-2:] == ["451 4.3.0 Error: queue file write error", "250 2.0.0 Ok"]
    assert any("ABCDEF1234: " in line and "cleanup service: broken pipe" in line for line in found.lines)


def test_another_message_in_the_same_session(monkeypatch: Any) -> None:
    found = converse(monkeypatch, *ENVELOPE, "DATA", BODY, *ENVELOPE[1:], "DATA", BODY, "QUIT")
    assert [message.state for message in found.messages] == ["finished"] * 2
    assert found.lines[-1].endswith(" ehlo=1 mail=2 rcpt=2 data=2 quit=1 commands=8")


def test_bare_newlines(monkeypatch: Any) -> None:
    data = b"a\nb\r\n.\r\n"
    noted = converse(monkeypatch, *ENVELOPE, "DATA", data, "QUIT", main={"smtpd_forbid_bare_newline": "note"})
    assert noted.replies[-2].startswith("250 2.0.0 Ok") and noted.lines[-1].endswith("notes=bare_lf")
    main = {"smtpd_forbid_bare_newline": "reject", "smtpd_forbid_bare_newline_reject_code": "521"}
    refused = converse(monkeypatch, *ENVELOPE, "DATA", data, main=main)
    assert refused.replies[-1] == "521 5.5.2 mail.ours.example Error: bare <LF> received"
    trusted = converse(monkeypatch, *ENVELOPE, "DATA", data, main=main, address="192.0.2.1")
    assert trusted.replies[-1].startswith("250 "), "smtpd_forbid_bare_newline_exclusions has mynetworks"
