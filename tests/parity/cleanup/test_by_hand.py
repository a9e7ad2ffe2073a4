"""What no client of cleanup sends: both cleanups make the same of it."""

from __future__ import annotations

import pytest

from .side import CompareAll, Submission, lines, record

pytestmark = pytest.mark.reference

T, S, R = record("T", "1795400000 123456"), record("S", "s@x.example"), record("R", "r@x.example")
M, X, E = record("M"), record("X"), record("E")
BODY = lines(b"Received: x", b"Date: x", b"From: y", b"Message-Id: <z>", b"", b"b")
LATE = record("R", "late@x.example")
WHOLE = T + S + R + M + BODY + X + E


def typed(kind: int, data: bytes = b"") -> bytes:
    """Return a record of any type."""
    return bytes((kind,)) + record("A", data)[1:]


def message(
    envelope: bytes = b"", extracted: bytes = b"", *, t: bytes = T, s: bytes = S, r: bytes = R, m: bytes = M, body: bytes = BODY, x: bytes = X,
    e: bytes = E,
) -> Submission:
    """Return a message with records added, or others in the place of the usual ones."""
    return Submission(t + s + envelope + r + m + body + x + extracted + e)


_MILTERS = ord("m")
"""A record that asks for milters."""


@pytest.mark.parametrize("data", [b"", b"1"])
def test_each_record_type_in_each_segment(compare_all: CompareAll, data: bytes) -> None:
    messages = {}
    for kind in range(256 if data else 128):
        if kind != _MILTERS:
            one = typed(kind, data)
            messages[f"{kind} first"] = message(t=one + T)
            messages[f"{kind} in the envelope"] = message(one)
            messages[f"{kind} in the content"] = message(body=one + BODY)
            messages[f"{kind} after it"] = message(extracted=LATE + one + LATE)
    compare_all(messages)


NUMBERS = [
    b"", b"0", b"-1", b"+5", b"1", b" 1", b"1 ", b"1x", b"0x10", b"010", b"9" * 23, b"-" + b"9" * 23, b"9223372036854775807",
    b"9223372036854775808", b"4294967296", b"4294967297", b"2147483648", b"1 2", b"1 -2", b"1  2", b"1\t2", b"1 1000000", b"1 " + b"9" * 22,
    b"1\n2", b"1 2 3", b"\0", b"1\0 2", b"a", b".5", b"1.5", b"1e5", b"- 1", b"+", b"-", b"--1", b"\xa01", b"1,2", b"9" * 5000,
]  # fmt: skip


def test_numbers(compare_all: CompareAll) -> None:
    messages = {}
    for number in NUMBERS:
        messages[f"T {number!r}"] = message(t=record("T", number) + T)
        messages[f"T twice {number!r}"] = message(t=record("T", number) * 2 + T)
        messages[f"only T {number!r}"] = message(t=record("T", number))
        for kind in "fWnwpc<":
            messages[f"{kind} {number!r}"] = message(record(kind, number))
        for kind in "fn":
            messages[f"late {kind} {number!r}"] = message(extracted=record(kind, number) + LATE)
        messages[f"late NOTIFY {number!r}"] = message(extracted=record("A", b"notify_flags=" + number) + LATE)
        for name in (b"notify_flags=", b"ret_flags=", b"trace_flags=", b"create_time="):
            messages[f"{name!r} {number!r}"] = message(record("A", name + number))
        for before in (b"1 " * 5, b"x " * 5, b"0\n0\t0 0  0 ", b"1 " * 4, b"1 " * 6):
            messages[f"C {before!r} {number!r}"] = message(t=record("C", before + number) + T)
    compare_all(messages)


ATTRIBUTES = [
    b"a b=c", b"a =b", b" a=b", b"  ", b" =", b"a=b=c", b"a==", b"a=", b"a= ", b"a\tb", b"\ta\t=\tb\t", b"a\n=b", b"\xa0a=b", b"a\0=b",
    b"a=\0b", b"\0", b"=\0", b"\xe9=\xe9", b"a" * 3000, b"a" * 200 + b"=", b"encoding = 8bit", b"encoding=8bit ", b"rewrite_context = remote",
    b"REWRITE_CONTEXT=remote", b"notify_flags = 2", b"dsn_orig_rcpt = rfc822; x y ", b"dsn_orig_rcpt=x", b"dsn_orig_rcpt=\xe9",
    b"envelope_id=a\xe9", b"envelope_id=a b", b"envelope_id=" + b"x" * 2000, b"message_id=<x>", b"create_time=x",
]  # fmt: skip


def test_attributes(compare_all: CompareAll) -> None:
    early = {f"{data!r}": message(record("A", data)) for data in ATTRIBUTES}
    late = {f"late {data!r}": message(extracted=record("A", data) + LATE) for data in ATTRIBUTES}
    compare_all(early | late)


def test_order(compare_all: CompareAll) -> None:
    orcpt, other, done, untyped = record("o"), record("o", "x"), record("D", "x"), typed(0)
    messages = {
        "T twice": message(t=T + T), "no T": message(t=b""), "no S": message(s=b""), "no R": message(r=b""), "no M": message(m=b""),
        "no X": message(x=b""), "no content": message(body=b""), "S twice": message(s=S + S), "S before T": message(t=S + T, s=b""),
        "R first": message(t=R + S + T, s=b"", r=b""), "late R only": message(extracted=LATE, r=b""), "E early": message(s=S + E),
        "E in the content": message(body=BODY + E + lines(b"x")), "X twice": message(x=X + X), "X first": message(m=M + X),
        "M after X": message(extracted=M), "only E": Submission(E), "only M": Submission(M + BODY + X + E), "E again": Submission(WHOLE + E * 5),
        "much after E": Submission(WHOLE + b"z" * 300000), "o twice": message(orcpt + orcpt), "o and another": message(orcpt + other),
        "another and o": message(other + orcpt), "late o": message(extracted=orcpt * 2 + R), "o of a D": message(orcpt + done),
        "o, 0": message(orcpt + untyped), "n, 0": message(record("n", "4") + untyped), "O, 0": message(record("O", "q") + typed(0, b"z")),
        "0, L": message(untyped + record("L", "a:b")), "late 0, L": message(extracted=untyped + record("L", "a:b")),
    }  # fmt: skip
    compare_all(messages)


@pytest.mark.parametrize("time", ["-5", "253402300800", "99999999999", "9999999999999", "1 -1"])
def test_dates(compare_all: CompareAll, time: str) -> None:
    compare_all({time: message(t=record("T", time), body=lines(b"Received: x", b"", b"b"))})


BEGINNINGS = {
    "none": b"\0", "wrong": b"flog\x004\0\0", "another": b"flags\x004\0x\0y\0\0", "twice": b"flags\x004\0flags\x0036\0\0",
    "another first": b"x\0y\0flags\x004\0\0", "negative": b"flags\0-1\0\0", "hexadecimal": b"flags\x000x4\0\0", "blank": b"flags\0 4\0\0",
    "blank behind": b"flags\x004 \0\0", "plus": b"flags\0+4\0\0", "large": b"flags\x004294967300\0\0", "too large": b"flags\0" + b"9" * 23 + b"\0\0",
    "text": b"flags\0x\0\0", "empty": b"flags\0\0\0", "no value": b"flags\0\0", "long": b"flags\0" + b"4" * 5000 + b"\0\0",
    "long name": b"f" * 5000 + b"\x004\0\0", "long text": b"flags\0" + b"x" * 5000 + b"\0\0", "binary": b"\xff\xfe\0\0", "lines": b"flags\n4\n\n",
    "zeros": b"flags\x00004\0\0", "unknown bits": b"flags\x002052\0\0", "records at once": b"", "cut name": b"fla", "no more value": b"flags\0",
    "cut value": b"flags\x004", "no end": b"flags\x004\0",
}  # fmt: skip


def test_flags(compare_all: CompareAll) -> None:
    messages = {name: Submission(WHOLE, start=start) for name, start in BEGINNINGS.items()}
    # Of a client that says nothing at all the reference leaves out the name of the status.
    messages |= {f"{name}, then nothing": Submission(b"", start=start) for name, start in BEGINNINGS.items() if start}
    compare_all(messages)


TAILS = {
    "nothing": b"", "cut text": b"Nzabc", "cut length": b"N\xff", "impossible length": b"N" + b"\xff" * 12, "all": WHOLE, "E": E,
    "type 0": typed(0) + b"N\xff", "a cut record": b"N\x01x" * 3 + b"N\x05a",
}  # fmt: skip


@pytest.mark.parametrize("tail", TAILS)
def test_what_follows_a_refusal(compare_all: CompareAll, tail: str) -> None:
    rest, bad, text = TAILS[tail], record("Q", "x"), lines(b"Received: x", b"", b"x")
    messages = {
        "envelope": Submission(T + S + bad + rest), "content": Submission(T + S + R + M + text + bad + rest),
        "extracted": Submission(T + S + R + M + text + X + bad + rest), "hops": Submission(T + S + R + M + lines(*[b"Received: x"] * 55) + rest),
        "discarded": Submission(T + S + rest, 8), "in the envelope": Submission(T + S + rest), "in the content": Submission(T + S + R + M + text + rest),
        "in the end": Submission(T + S + R + M + text + X + rest),
    }  # fmt: skip
    compare_all(messages)
