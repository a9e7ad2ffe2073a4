"""What of a posted file goes on to cleanup.  The expectations are what the reference did with the same files."""

from __future__ import annotations

import random

import pytest

from pyfix.daemons.pickup.filter import Malformed, NoSender, PostedFilter
from pyfix.formats.records import encode_record, read_records


def record(kind: str, data: str | bytes = b"") -> bytes:
    return encode_record(ord(kind), data.encode() if isinstance(data, str) else data)


TIME, SENDER, RECIPIENT = record("T", "1 2"), record("S", "s@x"), record("R", "r@x")
CONTENT = record("M") + record("N", "Subject: x") + record("X")
END = record("E")


def pass_on(data: bytes, chunk: int = 0) -> tuple[str, list[tuple[str, bytes]]]:
    senders: list[bytes] = []

    def begin(sender: bytes) -> list[bytes]:
        senders.append(sender)
        return [b"Received: by us", b"\tid X"]

    records = PostedFilter(2048, begin)
    out = b""
    for at in range(0, len(data), chunk or len(data) or 1):
        out += records.feed(data[at : at + (chunk or len(data))])
    records.end()
    found = [(chr(one.kind), one.data) for one in read_records(out)]
    return "".join([kind for kind, _ in found]), found


def test_a_received_header_is_put_first() -> None:
    kinds, found = pass_on(TIME + SENDER + RECIPIENT + CONTENT + END)
    assert kinds == "TSRMNNNXE"
    assert [data for kind, data in found if kind == "N"] == [b"Received: by us", b"\tid X", b"Subject: x"]


def test_a_missing_time_is_now() -> None:
    kinds, found = pass_on(record("A", "x=y") + SENDER + RECIPIENT + CONTENT + END)
    assert kinds == "ATSRMNNNXE"
    assert found[1][1].isdigit()


@pytest.mark.parametrize(
    ("kind", "envelope", "extracted"),
    [
        ("F", "kept", "kept"), ("I", "kept", "kept"), ("L", "dropped", "dropped"), (">", "dropped", "dropped"),
        ("e", "refused", "dropped"), ("r", "refused", "dropped"), ("P", "refused", "kept"), ("K", "kept", "kept"),
        ("<", "kept", "refused"), ("i", "kept", "refused"), ("o", "kept", "kept"), ("n", "kept", "kept"),
        ("c", "kept", "refused"), ("T", "kept", "refused"), ("S", "kept", "refused"), ("f", "refused", "refused"),
        ("m", "refused", "refused"), ("p", "dropped", "dropped"), ("w", "dropped", "dropped"), ("V", "kept", "refused"),
        ("W", "kept", "refused"), ("C", "kept", "refused"), ("D", "kept", "kept"), ("/", "kept", "kept"),
        ("E", "refused", "kept"), ("X", "refused", "refused"), ("N", "refused", "refused"),
    ],
)  # fmt: skip
def test_record_types(kind: str, envelope: str, extracted: str) -> None:
    def what(data: bytes, count: int) -> str:
        try:
            kinds, _ = pass_on(data)
        except Malformed as fault:
            assert str(fault) == f"unexpected or malformed record type {ord(kind)}"
            return "refused"
        return "kept" if kinds.count(kind) > count else "dropped"

    before = "TSRMNNNXRE".count(kind)
    assert what(TIME + SENDER + record(kind, "v") + RECIPIENT + CONTENT + RECIPIENT + END, before) == envelope
    if kind != "E":
        assert what(TIME + SENDER + RECIPIENT + CONTENT + record(kind, "v") + RECIPIENT + END, before) == extracted


@pytest.mark.parametrize(
    ("attribute", "kept"),
    [
        ("notify_flags=8", True), ("dsn_orig_rcpt=x;y", True), ("envelope_id=x", True), ("ret_flags=1", True),
        ("create_time=5", True), ("encoding=8bit", False), ("foo=bar", False), ("bad", True), ("=x", True),
        ("x=", False),
    ],
)  # fmt: skip
def test_attributes_after_the_content(attribute: str, kept: bool) -> None:
    kinds, _ = pass_on(TIME + SENDER + CONTENT + record("A", attribute) + RECIPIENT + END)
    assert ("A" in kinds) is kept
    assert "A" in pass_on(TIME + record("A", attribute) + SENDER + CONTENT + END)[0]


def test_traces_of_milters_are_dropped_from_the_content() -> None:
    content = (
        record("M")
        + record("N", "a")
        + record("w", "0")
        + record("p", "0")
        + record("L", "b")
        + record("N", "c")
        + record("X")
    )
    assert pass_on(TIME + SENDER + RECIPIENT + content + END)[0] == "TSRMNNNLNXE"


@pytest.mark.parametrize(
    ("data", "text", "detail"),
    [
        (b"", "record type -1", ""),
        (TIME + SENDER, "record type -1", ""),
        (TIME + SENDER + RECIPIENT + CONTENT, "record type -1", ""),
        (TIME + SENDER + RECIPIENT[:-1], "record type -2", "unexpected EOF in data, record type 82 length 3"),
        (b"\xff" * 30, "record type -2", "too many length bits, record type 255"),
        (
            TIME + SENDER + record("A", "x" * 3000) + CONTENT + END,
            "record type -2",
            "illegal length 3000, record type 65",
        ),
        (
            TIME + SENDER + record("M") + record("L", "x" * 3000) + END,
            "record type -2",
            "illegal length 3000, record type 76",
        ),
    ],
)
def test_malformed(data: bytes, text: str, detail: str) -> None:
    with pytest.raises(Malformed, match=text) as fault:
        pass_on(data)
    assert fault.value.detail == detail


def test_no_sender() -> None:
    with pytest.raises(NoSender):
        pass_on(TIME + RECIPIENT + CONTENT + END)


def test_what_follows_the_end_is_ignored() -> None:
    assert pass_on(TIME + SENDER + RECIPIENT + CONTENT + END + b"garbage")[0].endswith("E")


@pytest.mark.parametrize("seed", range(10))
def test_pieces_do_not_matter(seed: int) -> None:
    chance = random.Random(seed)
    lines = [record("N", "x" * chance.choice([0, 5, 100, 200, 2048])) for _ in range(chance.randrange(30))]
    data = TIME + SENDER + RECIPIENT + record("M") + b"".join(lines) + record("X") + RECIPIENT + END
    assert pass_on(data, chance.randrange(1, 50)) == pass_on(data)


@pytest.mark.parametrize("seed", range(30))
def test_any_bytes_are_refused_or_passed(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(TIME + SENDER + RECIPIENT + CONTENT + RECIPIENT + END)
    for _ in range(chance.randrange(1, 6)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    try:
        kinds, _ = pass_on(bytes(data))
    except (Malformed, NoSender):
        return
    assert kinds.endswith("E")
