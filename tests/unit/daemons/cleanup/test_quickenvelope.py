"""Which records of an envelope are taken together, and what makes the reader look at each of them."""

from __future__ import annotations

import pytest

from pyfix.daemons.cleanup import quickenvelope
from pyfix.daemons.cleanup.quickenvelope import PlainAttributes, take_run

from .conftest import RECIPIENT, TAIL, Submit, lines, record, records

LIMIT = 100
REST = record("R", "x@y.example") + record("M") + record("N", "Received: x")
PORT = record("A", "client_port=25")


def run(data: bytes, limit: int = LIMIT) -> tuple[dict[bytes, bytes], int]:
    attributes: dict[bytes, bytes] = {}
    return attributes, take_run(PlainAttributes(), attributes, limit, data, 0)


@pytest.mark.parametrize(
    "value",
    [
        b"client.example",
        b"a b",
        b"x=y",
        b"x" * 10,
        b"x" * 115,
        *[b"y" * length for length in range(1, 60)],
    ],
)
def test_a_run_of_attributes(value: bytes) -> None:
    run_of_two = record("A", b"helo_name=" + value) + PORT
    for rest in (REST, b"", record("A", "encoding=8bit") + REST):
        assert run(run_of_two + rest) == ({b"helo_name": value, b"client_port": b"25"}, len(run_of_two))


@pytest.mark.parametrize(
    "payload",
    [
        b"helo_name=",
        b"helo_name=x ",
        b"helo_name= x",
        b"helo_name =x",
        b"helo_name=\xc3\xa9",
        b"helo_name=a\0b",
        b"helo_name=a\nb",
        b"helo_name=a\nclient_name=b",
        b"helo_name=A\x10client_name=b",
        b"helo_name=A client_name=b",
        b"helo_name",
        b"encoding=8bit",
        b"helo_name=" + b"x" * 118,
        b"helo_name=" + b"x" * 5000,
    ],
)
def test_what_is_odd_is_looked_at_closely(payload: bytes) -> None:
    odd = record("A", payload)
    assert run(odd + REST) == ({}, 0)
    assert run(odd + PORT + REST) == ({}, 0)
    attributes, after = run(PORT + odd + REST)
    assert (attributes, after) == ({}, 0) or (attributes, after) == ({b"client_port": b"25"}, len(PORT))


def test_an_incomplete_run_waits() -> None:
    whole = record("A", "helo_name=vm") + PORT
    for cut in range(len(whole)):
        attributes, after = run(whole[:cut])
        assert (attributes, after) in [({}, 0), ({b"helo_name": b"vm"}, len(whole) - len(PORT))]


def test_more_than_may_be() -> None:
    whole = record("A", "helo_name=vm") + PORT
    assert run(whole + REST, limit=3)[1] == len(whole)
    assert run(whole + REST, limit=2) == ({}, 0)


BEGINNING = [("T", "1795913619 324834"), ("A", "log_ident=43A142104CD"), ("A", "rewrite_context=local")]


@pytest.mark.parametrize(
    "some",
    [
        BEGINNING,
        [("T", "1 0"), ("A", "log_ident=A"), ("A", "rewrite_context=remote")],
        [("T", "1 0"), ("A", "log_ident=4AA"), ("A", "rewrite_context=local")],
        [("T", "1"), *BEGINNING[1:]],
        [("T", "1 0 "), *BEGINNING[1:]],
        [("T", "12 x"), *BEGINNING[1:]],
        [BEGINNING[0], ("A", "log_ident=x-y"), BEGINNING[2]],
        [BEGINNING[0], ("A", "log_ident="), BEGINNING[2]],
        [BEGINNING[0], ("A", b"log_ident=12A\x15rewrite_context=local"), BEGINNING[2]],
        [BEGINNING[0], BEGINNING[1], ("A", "rewrite_context=elsewhere")],
        [BEGINNING[0], BEGINNING[1], ("A", b"rewrite_context=local\0x")],
        [BEGINNING[0], BEGINNING[2], BEGINNING[1]],
    ],
)
@pytest.mark.parametrize("limit", ["1", "2", "3", "4", "100"])
@pytest.mark.parametrize("chunk", [0, 1])
def test_a_beginning_is_the_same_at_one_glance_and_piece_by_piece(
    submit: Submit, some: list[tuple[str, str | bytes]], limit: str, chunk: int
) -> None:
    header = b"Received: by here\nFrom: a@b.example\nTo: c@d.example\nMessage-Id: <x@y>\nDate: now\n\n"
    rest = record("S", "s@client.example") + RECIPIENT + record("M") + lines(header) + TAIL
    outcome = submit(records(*some) + rest, queue_file_attribute_count_limit=limit, chunk=chunk)
    # An empty full name changes nothing, and makes the beginning one that is not taken at one glance.
    slowly = submit(record("F") + records(*some) + rest, queue_file_attribute_count_limit=limit)
    assert (outcome.status, outcome.log) == (slowly.status, slowly.log)
    kept, expected = (
        [one for one in records[1:] if one != ("F", b"") and not one[1].startswith(b"create_time=")]
        for records in (outcome.records, slowly.records)
    )
    assert kept == expected


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quickenvelope, "_MOST", 3)
    known = PlainAttributes()
    for number in range(10):
        assert known[b"helo_name=%d" % number] == (b"helo_name", b"%d" % number)
        assert len(known) <= 3
