"""What becomes of headers.  The expectations are what the reference made of the same headers."""

from __future__ import annotations

import pytest

from pyfix.formats import status as bits
from pyfix.formats.queuefile import REQUIRETLS_ESMTP, REQUIRETLS_HEADER, SMTPUTF8_HEADER

from .conftest import ENVELOPE, Submit, message, record, records

DONE = b"Message-Id: <x@y>\nDate: d\nFrom: f@x.example\n"
"""Headers with which nothing is missing."""
REMOTE = records(("T", "1000000 5"), ("A", "rewrite_context=remote"), ("S", "s@client.example"))


def header(outcome_content: list[bytes], without: bytes = DONE) -> list[bytes]:
    given = without.splitlines()
    return [line for line in outcome_content[1 : outcome_content.index(b"")] if line not in given]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (b"Subject : hi\n", [b"Subject: hi"]),
        (b"Subject:hi\n", [b"Subject:hi"]),
        (b"Subject: a\n b\n\tc\n", [b"Subject: a", b" b", b"\tc"]),
        (b"Subject: a\x01b\x00c\n", [b"Subject: a\x01b"]),
        (b"Subject: a\rb\n", [b"Subject: a b"]),
        (b"To: foo, bar@x.example\n", [b"To: foo@mail.ours.example, bar@x.example"]),
        (b"To :foo\n", [b"To: foo@mail.ours.example"]),
        (b"to: bar@x.example (c)\n", [b"to: bar@x.example (c)"]),
        (b"Cc:\n foo\n", [b"Cc: foo@mail.ours.example"]),
        (b"Bcc: foo\nContent-Length: 5\nReturn-Path: <x>\n", []),
        (b"X-Bcc: foo\n", [b"X-Bcc: foo"]),
        (b"Delivered-To: foo\n", [b"Delivered-To: foo"]),
        (b"Errors-To: e\n", [b"Errors-To: e@mail.ours.example"]),
    ],
)
def test_written_again(submit: Submit, given: bytes, written: list[bytes]) -> None:
    outcome = submit(message(given + DONE + b"\nbody\n"))
    assert header(outcome.content()) == written


def test_long_address_headers_are_folded(submit: Submit) -> None:
    to = b", ".join([b"user%02d" % number for number in range(6)])
    outcome = submit(message(b"To: " + to + b"\n" + DONE + b"\nbody\n"))
    assert header(outcome.content()) == [
        b"To: user00@mail.ours.example, user01@mail.ours.example,",
        b"\tuser02@mail.ours.example, user03@mail.ours.example,",
        b"\tuser04@mail.ours.example, user05@mail.ours.example",
    ]


def test_headers_of_remote_clients_stay(submit: Submit) -> None:
    outcome = submit(message(b"To: a, b\nSubject : x\n\nbody\n", envelope=REMOTE))
    assert outcome.content()[1:] == [b"To: a, b", b"Subject: x", b"", b"body"]
    assert outcome.log == ["ID: message-id=<>"]


def test_a_line_that_is_no_header_ends_the_header(submit: Submit) -> None:
    outcome = submit(message(DONE + b"not a header\nmore\n"))
    assert outcome.content()[-3:] == [b"", b"not a header", b"more"]


def test_a_received_header_is_needed(submit: Submit) -> None:
    stream = ENVELOPE + records(("R", "r@x.example"), ("M", ""), ("N", "Subject: x"), ("N", ""), ("X", ""), ("E", ""))
    outcome = submit(stream)
    assert (outcome.status, outcome.queue) == (bits.BAD, None)
    assert outcome.log[0] == "warning: ID: message rejected: no Received: header"


def test_hops_are_limited(submit: Submit) -> None:
    assert submit(message(b"Received: x\n" * 48 + b"\nx\n")).status == 0
    outcome = submit(message(b"Received: x\n" * 49 + b"\nx\n"))
    assert (outcome.status, outcome.queue) == (bits.HOPS, None)
    assert outcome.log == ["warning: ID: message rejected: hopcount exceeded", "ID: removed (canceled)"]


@pytest.mark.parametrize(
    ("value", "logged", "kept"),
    [
        (b" <a@b>", "<a@b>", b"<a@b>"),
        (b" <a@b> (c)", "<a@b> (c)", b"<a@b>"),
        (b"\n <a@b>\n <c@d>", "<a@b>\n <c@d>", b"<a@b>"),
        (b" <a\n b@c>", "<a\n b@c>", b"<a  b@c>"),
        (b" foo@bar", "foo@bar", None),
        (b" (c) <a@b>", "(c) <a@b>", None),
        (b" <a@b", "<a@b", None),
        (b"", "", None),
    ],
)
def test_message_ids_are_logged_and_kept(submit: Submit, value: bytes, logged: str, kept: bytes | None) -> None:
    outcome = submit(message(b"Message-Id:" + value + b"\n\nx\n"))
    assert outcome.log == [f"ID: message-id={logged}"]
    found = [data for kind, data in outcome.records if kind == "A" and data.startswith(b"message_id=")]
    assert found == ([b"message_id=" + kept] if kept is not None else [])


@pytest.mark.parametrize(
    ("value", "encoding"),
    [(b"8bit", True), (b"BINARY", True), (b"7bit", False), (b"8bit (x)", False), (b"8bit ", False), (b"base64", False)],
)
def test_8bit_content_is_noted(submit: Submit, value: bytes, encoding: bool) -> None:
    outcome = submit(message(b"Content-Transfer-Encoding: " + value + b"\n\nx\n"))
    assert (("A", b"encoding=8bit") in outcome.records) is encoding
    unwanted = submit(message(b"Content-Transfer-Encoding: 8bit\n\nx\n"), detect_8bit_encoding_header="no")
    assert ("A", b"encoding=8bit") not in unwanted.records


def test_8bit_content_of_a_part_is_noted(submit: Submit) -> None:
    part = b"--b\nContent-Transfer-Encoding: 8bit\n\nx\n--b--\n"
    outcome = submit(message(b"Content-Type: multipart/mixed; boundary=b\n\n" + part))
    assert ("A", b"encoding=8bit") in outcome.records
    assert outcome.content()[-5:] == part.splitlines()


def test_the_encoding_that_the_client_said_is_repeated(submit: Submit) -> None:
    outcome = submit(message(b"\nx\n", envelope=ENVELOPE + record("A", "encoding=7bit")))
    assert [data for kind, data in outcome.records if data == b"encoding=7bit"] == [b"encoding=7bit"] * 2


@pytest.mark.parametrize(
    ("given", "flags", "options"),
    [
        (b"Subject: \xc3\xa9\n", 0, SMTPUTF8_HEADER),
        (b"Subject: \xe9\n", 512, SMTPUTF8_HEADER | 1),
        (b"Bcc: \xe9 <a@b.example>\n", 0, 0),
        (b"TLS-Required: No\n", 0, REQUIRETLS_HEADER),
        (b"TLS-Required: nope\n", 0, 0),
        (b"Require-TLS-ESMTP: yes\n", 0, REQUIRETLS_ESMTP),
        (b"Require-TLS-ESMTP: no\n", 0, 0),
    ],
)
def test_options_that_headers_ask_for(submit: Submit, given: bytes, flags: int, options: int) -> None:
    outcome = submit(message(given + DONE + b"\nx\n"), flags=flags)
    assert outcome.sizes is not None and outcome.sizes.options == options


def test_a_malformed_tls_required_is_logged(submit: Submit) -> None:
    assert (
        "warning: ignoring malformed header: 'TLS-Required: maybe'"
        in submit(message(b"TLS-Required: maybe\n\nx\n")).log
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"Subject: \xe9\n\nx\n", "improper use of 8-bit data in message header"),
        (b"Subject: x\n\n\xe9\n", "improper use of 8-bit data in message body"),
    ],
)
def test_strict_mime(submit: Submit, content: bytes, text: str) -> None:
    outcome = submit(message(content), flags=2, strict_8bitmime="yes")
    assert (outcome.status, outcome.reason, outcome.queue) == (bits.CONTENT, f"5.6.0 {text}", None)
    assert any(line.startswith(f"ID: reject: mime-error {text}: ") for line in outcome.log)
    assert submit(message(content), flags=0, strict_8bitmime="yes").status == 0


def test_an_overlong_header_is_cut(submit: Submit) -> None:
    outcome = submit(message(b"Subject: " + b"x" * 2000 + b"\n" + DONE + b"\nx\n"), header_size_limit="100")
    assert header(outcome.content()) == [(b"Subject: " + b"x" * 2000)[:100]]


def test_header_and_body_meet_without_a_body(submit: Submit) -> None:
    outcome = submit(message(DONE))
    assert outcome.content()[1:] == DONE.splitlines()
