"""Content records: what may stand among them, and that the two ways through the header are one."""

from __future__ import annotations

import random

import pytest

from pyfix.daemons.cleanup import content
from pyfix.formats import status as bits
from pyfix.protocols.internal.cleanup import FILTER

from .conftest import ENVELOPE, RECIPIENT, TAIL, Submit, lines, message, record

START = ENVELOPE + RECIPIENT + record("M") + lines(b"Received: x\nMessage-Id: <x@y>\nDate: d\nFrom: f@x.example\n\n")


@pytest.mark.parametrize("letter", "SRTKQ")
@pytest.mark.parametrize("start", [START, START[:-2]], ids=["body", "header"])
def test_records_that_are_refused(submit: Submit, letter: str, start: bytes) -> None:
    outcome = submit(start + record(letter, "v") + TAIL)
    assert (outcome.status, outcome.queue) == (bits.BAD, None)
    text = f"message rejected: unexpected record type {ord(letter)} in message content"
    assert f"warning: cleanup_message_headerbody: {text}" in outcome.log


def test_an_end_amid_the_content(submit: Submit) -> None:
    outcome = submit(START + record("N", "x") + record("E"))
    assert (outcome.status, outcome.queue) == (bits.BAD, None)


def test_a_last_line_without_its_end_gets_one(submit: Submit) -> None:
    outcome = submit(START + record("L", "x") + TAIL)
    content_records = outcome.records[: outcome.kinds().index("X")]
    assert content_records[-2:] == [("L", b"x"), ("N", b"")]


def test_no_body(submit: Submit) -> None:
    outcome = submit(START[:-2] + TAIL)
    assert outcome.status == 0
    assert outcome.content()[-1:] == [b"From: f@x.example"]


def header(chance: random.Random) -> bytes:
    names = [b"To", b"Cc", b"From", b"Subject", b"X-Any", b"Received", b"Message-Id", b"Date", b"Bcc", b"Return-Path", b"Reply-To"]
    found = b""
    for _ in range(chance.randrange(1, 12)):
        found += chance.choice(names) + b": " + chance.choice([b"a@x.example", b"user", b"x" * 130, b"a@b.example,\n\tc", b""])
        found += b"\n"
    return found


@pytest.mark.parametrize("seed", range(40))
def test_a_header_taken_at_one_glance_is_as_one_taken_line_by_line(
    submit: Submit, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    text = message(header(random.Random(seed)) + b"\nbody\n")
    quick = submit(text)
    monkeypatch.setattr(content, "scan_header", lambda *_arguments: None)
    slow = submit(text)
    ours = [[data.replace(one.queue_id.encode(), b"ID") for data in one.content()] for one in (quick, slow)]
    stamps = [[line for line in found if not line.startswith((b"Date:", b"Message-Id: <2"))] for found in ours]
    assert stamps[0] == stamps[1]
    assert quick.status == slow.status
    assert [kind for kind, _ in quick.records] == [kind for kind, _ in slow.records]


def test_mime_errors_are_refused_when_that_is_wanted(submit: Submit) -> None:
    text = message(b"From: a@b.example\nSubject: \xe9\n\nx\n")
    assert submit(text).status == 0
    outcome = submit(text, flags=FILTER, strict_7bit_headers="yes")
    assert outcome.status == bits.CONTENT
    assert outcome.reason == "5.6.0 improper use of 8-bit data in message header"


def test_nesting(submit: Submit) -> None:
    deep = b"".join([b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(5)])
    assert submit(message(deep + b"\nx\n"), mime_nesting_limit="10").status == 0
    outcome = submit(message(deep + b"\nx\n"), flags=FILTER, mime_nesting_limit="2", strict_8bitmime="yes")
    assert (outcome.status, outcome.reason) == (bits.CONTENT, "5.6.0 MIME nesting exceeds safety limit")


def test_many_records_at_once_and_in_pieces(submit: Submit) -> None:
    text = message(b"Message-Id: <x@y>\n\n" + b"line\n" * 3000)
    assert submit(text, chunk=777).content()[2:] == submit(text).content()[2:]
