from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pyfix.notices.report import Original, Report, returned_header, returned_message
from pyfix.notices.template import BUILT_IN
from pyfix.queue.bouncelog import LogEntry

ENTRY = LogEntry("a@x.example", status="5.1.1", action="failed", reason="no such user")
ORIGINAL = Original("ABC123", "me@x.example", "", 1795402204, utf8=False)
REPORT = Report(BUILT_IN["failure"], "mail.x.example", "Postfix", ORIGINAL, [ENTRY], 1795402300)


def test_head() -> None:
    lines = list(REPORT.head("me@x.example", postmaster=False))
    assert "Subject: Undelivered Mail Returned to Sender" in lines
    assert "Auto-Submitted: auto-replied" in lines
    assert '\tboundary="ABC123.1795402300/mail.x.example"' in lines
    assert lines[-2:] == ["", "This is a MIME-encapsulated message."]


def test_head_of_a_copy_in_a_thread() -> None:
    lines = list(REPORT.head("postmaster", postmaster=True, references="<id@x>"))
    assert "Subject: Postmaster Copy: Undelivered Mail" in lines
    assert lines[lines.index("References: <id@x>") + 1] == "In-Reply-To: <id@x>"
    assert "Auto-Submitted: auto-generated" in lines


@pytest.mark.parametrize(
    ("encoding", "charset", "head", "part"),
    [
        ("", "us-ascii", [], ["Content-Type: text/plain; charset=us-ascii"]),
        ("7bit", "us-ascii", ["7bit"], ["Content-Type: text/plain; charset=us-ascii"]),
        ("8bit", "us-ascii", ["8bit"], ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]),
        ("8bit", "koi8-r", ["8bit"], ["Content-Type: text/plain; charset=koi8-r", "Content-Transfer-Encoding: 8bit"]),
    ],
)
def test_encodings(encoding: str, charset: str, head: list[str], part: list[str]) -> None:
    report = replace(REPORT, encoding=encoding, template=replace(BUILT_IN["failure"], charset=charset))
    name = "Content-Transfer-Encoding: "
    assert [line.removeprefix(name) for line in report.head("x", postmaster=False) if line.startswith(name)] == head
    assert [line for line in report.explanation(["text"]) if line.startswith("Content-T")] == part


def test_words_are_folded_and_say_what_was_expanded() -> None:
    long = replace(REPORT, entries=[replace(ENTRY, reason="many words " * 20 + "x" * 100)])
    lines = list(long.recipients_in_words([("a@x.example", "alias@x.example")]))
    assert lines[0].startswith("<a@x.example> (expanded from <alias@x.example>): many words")
    assert all(len(line) < 80 for line in lines if "xxx" not in line)
    assert all(line.startswith("    ") for line in lines[1:-1]) and lines[-1] == ""


def test_status_for_programs() -> None:
    full = replace(
        ENTRY, dsn_original_recipient="rfc822;o@x", diagnostic_type="smtp", diagnostic_text="550 no", mta_type="dns",
        mta_name="mx.x",
    )  # fmt: skip
    report = replace(REPORT, original=replace(ORIGINAL, envelope_id="env"), entries=[full, ENTRY], retry_until=1795402204)
    lines = list(report.status([("a@x", ""), ("a@x", "b@x")]))
    assert "Original-Envelope-Id: env" in lines
    assert "X-Postfix-Queue-ID: ABC123" in lines
    assert lines.count("Final-Recipient: rfc822; a@x") == 2
    assert "Original-Recipient: rfc822;o@x" in lines and "Original-Recipient: rfc822; b@x" in lines
    assert "Diagnostic-Code: smtp; 550 no" in lines and "Diagnostic-Code: X-Postfix; no such user" in lines
    assert "Remote-MTA: dns; mx.x" in lines
    assert sum(line.startswith("Will-Retry-Until: ") for line in lines) == 2


def test_wide_addresses() -> None:
    report = replace(REPORT, original=replace(ORIGINAL, utf8=True, sender="\u00e4@x"))
    lines = list(report.status([("\u00f6@x", "")]))
    assert "Content-Type: message/global-delivery-status" in lines
    assert "X-Postfix-Sender: utf-8; \u00e4@x" in lines and "Final-Recipient: utf-8; \u00f6@x" in lines


CONTENT = [b"Subject: x", b" folded", b"X-Y : z", b"", b"body"]


def test_returned_message() -> None:
    assert list(returned_message(CONTENT, return_path="a@x")) == [b"Return-Path: <a@x>", *CONTENT]


@pytest.mark.parametrize(
    ("pieces", "lines", "complete"),
    [
        ([(line, True) for line in CONTENT], CONTENT[:3], True),
        ([], [], True),
        ([(b"no header", True)], [], True),
        ([(b"X: a", False), (b" b", False), (b"c: d", True), (b"Y: e", True)], [b"X: a bc: d", b"Y: e"], True),
        ([(b"X: a", False), (b"b", True), (b"Y: e", True)], [b"X: a"], False),
        ([(b"X: a", False)], [b"X: a"], False),
    ],
)
def test_returned_header(pieces: list[tuple[bytes, bool]], lines: list[bytes], complete: bool) -> None:
    found: list[bytes] = []

    def collected() -> Iterator[bytes]:
        found.append(b"complete" if (yield from returned_header(pieces, return_path="")) else b"cut")

    assert list(collected()) == [b"Return-Path: <>", *lines]
    assert found == [b"complete" if complete else b"cut"]


def test_the_end() -> None:
    assert next(REPORT.tail()) == "" and len(list(REPORT.tail())) == 2
    assert list(REPORT.tail(complete=False)) == list(REPORT.tail())[1:]
