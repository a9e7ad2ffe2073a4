"""Envelope and extracted records: both cleanups make the same of them."""

from __future__ import annotations

import pytest

from .side import Compare, lines, record

T, S, R = record("T", "1795400000 123456"), record("S", "s@x.example"), record("R", "r@x.example")
CONTENT = record("M") + lines(b"Received: x", b"Date: x", b"From: y", b"Message-Id: <z>", b"", b"b") + record("X")
E = record("E")

RECORDS = [
    ("F", "Full"), ("I", "i"), ("L", "l"), ("A", "a=b"), ("A", "rewrite_context=local"),
    ("A", "rewrite_context=remote"), ("A", "rewrite_context=x"), ("A", "encoding=7bit"), ("A", "encoding=x"),
    ("A", "trace_flags=3"), ("A", "trace_flags=x"), ("A", "envelope_id=x+2By"), ("A", "envelope_id=x+y"),
    ("A", "envelope_id="), ("A", "dsn_orig_rcpt=x;y"), ("A", "dsn_orig_rcpt="), ("A", "create_time=4"),
    ("A", "log_ident=X"), ("A", "bad"), ("A", "=x"), ("A", "  q  =  r "), ("A", "notify_flags=8"),
    ("A", "notify_flags=3"), ("A", "notify_flags=x"), ("A", "ret_flags=1"), ("A", "ret_flags=3"), (">", "r"),
    ("e", "e"), ("r", "r"), ("P", "p"), ("K", "k"), ("<", "1"), ("<", "9"), ("i", "e"), ("o", "x;y"), ("n", "8"),
    ("c", "6"), ("T", "1 2"), ("S", "dup"), ("f", "4"), ("f", "8"), ("f", "256"), ("f", "x"), ("p", "0"), ("w", "0"),
    ("d", "5"), ("V", "+-"), ("V", "ab"), ("W", "44"), ("C", "-1 -1 -1 -1 -1 63"), ("C", "x"), ("D", "d@x"),
    ("/", "d@x"), ("O", "o@x"), ("R", ""), ("R", "a"), ("N", "x"), ("X", ""), ("E", ""), ("Q", "x"),
]  # fmt: skip


@pytest.mark.reference
@pytest.mark.parametrize(("kind", "data"), RECORDS)
@pytest.mark.parametrize("place", ["before T", "after T", "after S", "after R", "extracted", "last"])
def test_each_record_in_each_place(compare: Compare, kind: str, data: str, place: str) -> None:
    one = record(kind, data)

    def at(name: str) -> bytes:
        return one if name == place else b""

    envelope = at("before T") + T + at("after T") + S + at("after S") + R + at("after R")
    compare(envelope + CONTENT + at("extracted") + record("R", "late@x.example") + at("last") + E)


SENDERS = [
    "",
    "a",
    "a b@c.example",
    '"a b"@c.example',
    "\u00e9@x.example",
    "a@\u00e9.example",
    "a@b@c",
    "@r:a@b",
    "a%b",
    "a!b",
    "\udce9@x",
]


@pytest.mark.reference
@pytest.mark.parametrize(
    "address",
    [*SENDERS, "a@", "@x", "a@[1.2.3.4]", "a@b.", "<q@r>", "x@localhost", ".a@b", "a\\b@c", "a@x\r", "b" * 3000],
)
@pytest.mark.parametrize("flags", [0, 256, 512])
def test_addresses(compare: Compare, address: str, flags: int) -> None:
    compare(T + record("S", address) + record("R", address) + R + CONTENT + E, 4 | 16 | 32 | flags)


@pytest.mark.reference
@pytest.mark.parametrize(
    "main", [{}, {"enable_original_recipient": "no"}, {"duplicate_filter_limit": "2", "delay_warning_time": "2h"}]
)
def test_duplicates(compare: Compare, main: dict[str, str]) -> None:
    many = record("O", "o1@x") + R + record("O", "o2@x") + R + record("A", "notify_flags=8") + R
    many += record("A", "dsn_orig_rcpt=rfc822;foo") + R + record("O", "O1@x") + record("R", "R@x.example") + R
    compare(T + S + many + CONTENT + E, main=main)


@pytest.mark.reference
@pytest.mark.parametrize("count", [98, 99, 100, 101])
def test_many_attributes(compare: Compare, count: int) -> None:
    compare(T + S + b"".join([record("A", f"x{number}=v") for number in range(count)]) + R + CONTENT + E)


@pytest.mark.reference
@pytest.mark.parametrize("stream", [b"", T + S, T + S + R + CONTENT, b"\xff" * 10, (T + S + R + CONTENT + E)[:-3]])
def test_clients_that_go_away(compare: Compare, stream: bytes) -> None:
    assert compare(stream).queue is None
    compare(stream, end=False)


@pytest.mark.reference
@pytest.mark.parametrize("flags", [1 | 2 | 4, 4, 8, 4 | 1024, 4 | 4096])
def test_flags(compare: Compare, flags: int) -> None:
    compare(T + S + R + CONTENT + E, flags)


@pytest.mark.reference
@pytest.mark.parametrize("sender", ["s@client.example", ""])
def test_what_pickup_brings_is_returned_to_its_sender(compare: Compare, sender: str) -> None:
    content = record("M") + lines(*[b"Received: x"] * 51, b"", b"b") + record("X")
    two = record("R", "a@b.example") + record("A", "notify_flags=1") + record("R", "c@d.example")
    compare(T + record("S", sender) + two + content + E, 1 | 2 | 16 | 32)
