"""The envelope of a queue file; more of it, with contents, is in test_message.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyfix.formats.queuefile import SIZE_RECORD_BYTES, Sizes
from pyfix.formats.records import CREATE_TIME, DSN_ENVELOPE_ID, DSN_RET, encode_attribute, encode_record
from pyfix.queue.envelope import Envelope
from pyfix.queue.message import Message, MessageDamaged


def r(kind: str, data: str = "") -> bytes:
    return encode_record(ord(kind), data.encode("utf-8", "surrogateescape"))


Read = Callable[..., Envelope]
HEAD = r("T", "1000 500000") + r("S", "s@x")


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Read]:
    opened: list[Message] = []

    def make(head: bytes, extracted: bytes = b"", *, most: int = 0, base: int = SIZE_RECORD_BYTES) -> Envelope:
        head += r("M")
        sizes = Sizes(3, base + len(head), 1, 0, 3, 0)
        (tmp_path / "m").write_bytes(sizes.encode() + head + r("N", "x") + r("X") + extracted + r("E"))
        opened.append(Message(str(tmp_path / "m")))
        envelope = Envelope(opened[-1])
        envelope.read(most)
        return envelope

    yield make
    for message in opened:
        message.close()


def names(envelope: Envelope) -> list[str]:
    return [one.recipient for one in envelope.recipients]


def test_what_counts_once(read: Read) -> None:
    found = read(HEAD + r("L", "f1") + r("I", "i") + r(">", "to@x") + r("V", "+=") + r("T", "7 7") + r("S", "other@x") + r("R", "a@x"))
    assert (found.arrival_time, found.sender) == (1000.5, "s@x"), "the first of each"
    assert (found.filter, found.inspector, found.redirect, found.verp) == ("f1", "i", "to@x", "+=")
    assert found.complete


def test_details_belong_to_the_next_recipient(read: Read) -> None:
    details = encode_attribute("dsn_orig_rcpt", "rfc822;o@x") + encode_attribute("notify_flags", "2") + r("O", "o@x")
    found = read(HEAD + details + r("R", "a@x") + r("R", "b@x"))
    first, second = found.recipients
    assert (first.original_recipient, first.dsn_orig_rcpt, first.notify_flags) == ("o@x", "rfc822;o@x", 2)
    assert (second.original_recipient, second.dsn_orig_rcpt, second.notify_flags) == ("", "", 0)


def test_recipients_that_are_done_are_left_out_with_their_details(read: Read) -> None:
    details = encode_attribute("dsn_orig_rcpt", "rfc822;o@x") + r("O", "o@x")
    found = read(HEAD + details + r("D", "a@x") + r("/", "b@x") + r("R", "c@x"))
    assert [(one.recipient, one.original_recipient, one.dsn_orig_rcpt) for one in found.recipients] == [("c@x", "", "")]


def test_offsets_lead_to_the_records(read: Read, tmp_path: Path) -> None:
    found = read(HEAD + r("R", "a@x") + r("R", "b@x"), r("R", "late@x"))
    data = (tmp_path / "m").read_bytes()
    assert [data[one.offset : one.offset + 2 + len(one.recipient)] for one in found.recipients] == [
        b"R\x03a@x", b"R\x03b@x", b"R\x06late@x",
    ]  # fmt: skip


def test_attributes(read: Read) -> None:
    found = read(
        HEAD + encode_attribute("a", "1") + encode_attribute("encoding", "7bit") + r("A", "b=x\0y=z") + r("A", "no value") + r("R", "a@x"),
        encode_attribute("a", "2") + encode_attribute("encoding", "8bit") + encode_attribute("message_id", "<x>"),
    )
    assert found.attributes["a"] == "1" and found.attributes["encoding"] == "8bit" and found.attributes["message_id"] == "<x>"
    assert found.attributes["b"] == "x" and "no value" not in found.attributes


def test_records_that_attributes_have_replaced(read: Read) -> None:
    found = read(HEAD + encode_record(DSN_ENVELOPE_ID, b"id") + encode_record(DSN_RET, b"2") + encode_record(CREATE_TIME, b"77"))
    assert {name: found.attributes[name] for name in ("envelope_id", "ret_flags", "create_time")} == {
        "envelope_id": "id", "ret_flags": "2", "create_time": "77",
    }  # fmt: skip


@pytest.mark.parametrize(("value", "time"), [("           1234", 1234), ("             -1", -1), ("0", 0), ("x", 0)])
def test_the_time_of_the_delay_notice(read: Read, value: str, time: int) -> None:
    found = read(HEAD + r("W", value) + r("R", "a@x"))
    assert found.warn_time == time and found.warn_offset == SIZE_RECORD_BYTES + len(HEAD)


def test_pointers(read: Read) -> None:
    skipped = r("R", "skipped@x")
    pointer = len(r("p", f"{0:15d}"))
    target = SIZE_RECORD_BYTES + len(HEAD) + pointer + len(skipped)
    found = read(HEAD + r("p", f"{target:15d}") + skipped + r("R", "a@x"))
    assert names(found) == ["a@x"]
    assert names(read(HEAD + r("p", f"{0:15d}") + r("R", "b@x"))) == ["b@x"], "a pointer to nowhere"


def test_portions(read: Read) -> None:
    found = read(HEAD + b"".join(r("R", f"u{number}@x") for number in range(5)), r("R", "late@x"), most=2)
    seen = []
    while True:
        seen += names(found)
        found.recipients.clear()
        if found.complete:
            break
        found.read(2)
    assert seen == ["u0@x", "u1@x", "u2@x", "u3@x", "u4@x", "late@x"]


@pytest.mark.parametrize(
    ("head", "text"),
    [
        (r("T", "x") + r("S", "s"), "bad arrival time record"), (r("T", "1 x") + r("S", "s"), "bad arrival time record"),
        (r("T", "-5 0") + r("S", "s"), "bad arrival time record"), (r("T", "9" * 30) + r("S", "s"), "bad arrival time record"),
        (HEAD + r("Q", "x"), "Unexpected record type 'Q'"), (HEAD + r("N", "x"), "Unexpected record type 'N'"),
        (HEAD + b"R" + b"\xff" * 9, "missing end record"), (HEAD + r("X") + r("R", "x"), "Unexpected record type 'X'"),
    ],
)  # fmt: skip
def test_damage(read: Read, head: bytes, text: str) -> None:
    with pytest.raises(MessageDamaged, match=text):
        read(head)


def test_a_circle_of_pointers_ends(read: Read) -> None:
    with pytest.raises(MessageDamaged, match="too many pointer records"):
        read(HEAD + r("p", f"{SIZE_RECORD_BYTES:15d}"))


def test_a_size_record_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(Sizes(3, 0, 1, 0, 3, 0).encode() + HEAD + r("M"))
    with Message(str(tmp_path / "m")) as message, pytest.raises(MessageDamaged, match="weird size record"):
        Envelope(message).read()


def test_a_file_without_an_end(read: Read, tmp_path: Path) -> None:
    sizes = Sizes(3, SIZE_RECORD_BYTES + len(HEAD), 1, 0, 3, 0)
    (tmp_path / "m").write_bytes(sizes.encode() + HEAD)
    with Message(str(tmp_path / "m")) as message, pytest.raises(MessageDamaged, match="missing end record"):
        Envelope(message).read()
