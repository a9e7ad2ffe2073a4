"""Body records: passed on as they are, but for what is stray or too long in them."""

from __future__ import annotations

import random

import pytest

from pyfix.formats import status as bits

from .conftest import ENVELOPE, RECIPIENT, TAIL, Submit, lines, record

START = ENVELOPE + RECIPIENT + record("M") + lines(b"Received: x\nMessage-Id: <x@y>\nDate: d\nFrom: f@x.example\n")
MULTIPART = START + lines(b'Content-Type: multipart/mixed; boundary="b"\n')


def body(submit: Submit, text: bytes, start: bytes = START, **options: object) -> list[tuple[str, bytes]]:
    outcome = submit(start + record("N") + text + TAIL, **options)
    assert outcome.status == 0
    kinds = outcome.kinds()
    content = outcome.records[kinds.index("M") + 1 : kinds.index("X")]
    return content[content.index(("N", b"")) + 1 :]


@pytest.mark.parametrize("length", [0, 1, 9, 10, 11, 12, 13, 14, 127, 128, 129, 138, 141, 1280, 1290, 1664, 2048])
@pytest.mark.parametrize("start", [START, MULTIPART])
def test_lines_of_any_length(submit: Submit, length: int, start: bytes) -> None:
    given = [b"y" * length, b"x", b"z" * length]
    assert body(submit, b"".join([record("N", line) for line in given]), start) == [("N", line) for line in given]


def test_stray_ends_of_lines_become_spaces(submit: Submit) -> None:
    given = [b"a\rb", b"\r", b"c\nd" + b"x" * 7, b"y" * 13, b"e\r" + b"z" * 200]
    written = [b"a b", b" ", b"c d" + b"x" * 7, b"y" * 13, b"e " + b"z" * 200]
    records = b"".join([record("N", line) for line in given])
    assert body(submit, records) == [("N", line) for line in written]
    assert body(submit, records, MULTIPART) == [("N", line) for line in written]
    kept = body(submit, records, cleanup_replace_stray_cr_lf="no")
    assert kept == [("N", line) for line in given]


def test_overlong_records_are_cut_up(submit: Submit) -> None:
    assert body(submit, record("N", b"x" * 5000)) == [("L", b"x" * 2048), ("L", b"x" * 2048), ("N", b"x" * 904)]
    assert body(submit, record("L", b"x" * 2100) + record("N", "y")) == [
        ("L", b"x" * 2048),
        ("L", b"x" * 52),
        ("N", b"y"),
    ]


def test_a_last_line_without_its_end_gets_one(submit: Submit) -> None:
    assert body(submit, record("N", "a") + record("L", "b")) == [("N", b"a"), ("L", b"b"), ("N", b"")]


def test_a_piece_of_a_line_is_no_boundary(submit: Submit) -> None:
    given = record("L", "x") + record("N", "--b") + lines(b"Content-Transfer-Encoding: 8bit\n\nx\n")
    outcome = submit(MULTIPART + record("N") + given + TAIL)
    assert ("A", b"encoding=8bit") not in outcome.records


def test_a_boundary_in_pieces_is_one(submit: Submit) -> None:
    given = record("L", "--b") + record("N", "cd") + lines(b"--b\nContent-Transfer-Encoding: 8bit\n\nx\n")
    outcome = submit(MULTIPART + record("N") + given + TAIL)
    assert ("A", b"encoding=8bit") in outcome.records


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        ("A", "cleanup_message_headerbody: message rejected: unexpected record type 65 in message content"),
        ("E", "cleanup_message_headerbody: message rejected: unexpected record type 69 in message content"),
        ("w", "ID: record type 119 not allowed - discarding this message"),
    ],
)
@pytest.mark.parametrize("where", ["header", "body"])
def test_records_that_are_no_text(submit: Submit, kind: str, complaint: str, where: str) -> None:
    outcome = submit(START + (record("N") if where == "body" else b"") + record(kind, "a=b") + TAIL)
    assert (outcome.status, outcome.queue) == (bits.BAD, None)
    assert f"warning: {complaint}" in outcome.log


@pytest.mark.parametrize("seed", range(20))
def test_any_text_in_any_pieces_comes_out_as_it_went_in(submit: Submit, seed: int) -> None:
    chance = random.Random(seed)
    given = []
    for _ in range(chance.randrange(1, 80)):
        line = bytes(chance.choice(b"ab-- \t:x\xe9\0") for _ in range(chance.choice([0, 1, 3, 10, 13, 60, 130, 1300])))
        given.append(chance.choice([line, b"--b", b"--b--", b"--c", b"Subject: x"]))
    # A blank before the colon of a header, and what follows a NUL in one, do not survive.
    given = [line.replace(b":", b"").replace(b"\0", b"") if line != b"Subject: x" else line for line in given]
    found = body(submit, lines(b"\n".join(given) + b"\n"), MULTIPART, chunk=chance.choice([0, 1, 5, 100, 4096]))
    assert [text for _, text in found] == given


def test_strict_checks_see_each_line(submit: Submit) -> None:
    outcome = submit(START + record("N") + lines(b"a\n\xe9\nb\n") + TAIL, flags=2, strict_8bitmime_body="yes")
    assert outcome.status == bits.CONTENT


def test_runs_of_lines_in_any_pieces(submit: Submit) -> None:
    lengths = [5, 5, 5, 10, 10, 10, 13, 13, 127, 127, 127, 128, 128, 200, 5, 0, 0, 0, 10, 78, 78, 78, 78, 13, 1]
    given = [b"N" * length for length in lengths]
    records = b"".join([record("N", line) for line in given])
    for chunk in (0, 1, 2, 3, 5, 7, 11, 13, 64, 100):
        assert body(submit, records, chunk=chunk) == [("N", line) for line in given]
