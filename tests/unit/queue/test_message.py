from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from pyfix.formats import records
from pyfix.formats.queuefile import SIZE_RECORD_BYTES, Sizes
from pyfix.formats.records import encode_attribute, encode_lines, encode_record
from pyfix.queue.envelope import Envelope
from pyfix.queue.message import Message, MessageBusy, MessageDamaged


def build(path: Path, recipients: list[str], content: bytes, *, extracted: bytes = b"", middle: bytes = b"") -> Sizes:
    """Write a queue file as cleanup(8) does."""
    head = encode_record(records.TIME, b"1000 250000") + encode_attribute("log_ident", "ABC")
    head += encode_record(records.SENDER, b"s@x") + encode_attribute("encoding", "8bit") + middle
    for name in recipients:
        head += encode_attribute("dsn_orig_rcpt", f"rfc822;{name}")
        named = name.encode("utf-8", "surrogateescape")
        head += encode_record(records.ORIGINAL_RECIPIENT, named) + encode_record(records.RECIPIENT, named)
    head += encode_record(records.MESSAGE)
    tail = encode_record(records.EXTRACTED) + extracted + encode_record(records.END)
    sizes = Sizes(len(content), SIZE_RECORD_BYTES + len(head), len(recipients), 0, len(content), 0)
    path.write_bytes(sizes.encode() + head + content + tail)
    return sizes


@pytest.mark.parametrize("count", [1, 3, 200, 3000])
@pytest.mark.parametrize("lines", [0, 5, 4000])
def test_envelope_and_content(tmp_path: Path, count: int, lines: int) -> None:
    text = [b"line %d" % number for number in range(lines)]
    recipients = [f"user{number}@example.org" for number in range(count)]
    extracted = encode_attribute("encoding", "7bit") + encode_record(records.RECIPIENT, b"late@x")
    sizes = build(tmp_path / "m", recipients, encode_lines(text), extracted=extracted)
    with Message(str(tmp_path / "m")) as message:
        assert message.sizes == sizes
        envelope = Envelope(message)
        envelope.read()
        assert [found.recipient for found in envelope.recipients] == [*recipients, "late@x"]
        assert envelope.recipients[0].dsn_orig_rcpt == "rfc822;user0@example.org"
        assert envelope.recipients[0].original_recipient == "user0@example.org"
        assert envelope.recipients[-1].dsn_orig_rcpt == ""
        assert envelope.complete
        assert (envelope.sender, envelope.arrival_time) == ("s@x", 1000.25)
        assert envelope.attributes == {"log_ident": "ABC", "encoding": "7bit"}
        assert message.content(sizes.data_offset) == b"".join(line + b"\n" for line in text)
        assert b"".join(message.content_blocks(sizes.data_offset, 100)) == b"".join(line + b"\n" for line in text)


@pytest.mark.parametrize("block", [16, 100, 262144])
def test_pieces_of_the_content(tmp_path: Path, block: int) -> None:
    """Long lines are in several records; a pointer leads on."""
    text = [b"", b"x" * 4999, b"y" * 2048, b"z"]
    content = encode_lines(text) + encode_record(records.PADDING, b"0")
    sizes = build(tmp_path / "m", ["a@x"], content)
    with Message(str(tmp_path / "m")) as message:
        found = list(message.content_pieces(sizes.data_offset, block))
    pieces = [(b"x" * 2048, False), (b"x" * 2048, False), (b"x" * 903, True)]
    assert found == [(b"", True), *pieces, (b"y" * 2048, True), (b"z", True)]


def test_pieces_behind_a_pointer(tmp_path: Path) -> None:
    path = tmp_path / "m"
    sizes = build(path, ["a@x"], encode_lines([b"first"]) + encode_record(records.POINTER, b"%15d" % 0) + encode_lines([b"second"]))
    with Message(str(path)) as message:
        assert [piece for piece, _ in message.content_pieces(sizes.data_offset)] == [b"first", b"second"]
    data = path.read_bytes()
    path.write_bytes(data.replace(b"p\x0f%15d" % 0, b"p\x0f%15d" % len(data), 1) + encode_lines([b"third"]) + encode_record(records.EXTRACTED))
    with Message(str(path)) as message:
        assert [piece for piece, _ in message.content_pieces(sizes.data_offset)] == [b"first", b"third"]
    path.write_bytes(data.replace(b"p\x0f%15d" % 0, b"p\x0f%15d" % sizes.data_offset, 1))
    with Message(str(path)) as message, pytest.raises(MessageDamaged):
        list(message.content_pieces(sizes.data_offset))


def test_pieces_of_damaged_content(tmp_path: Path) -> None:
    path = tmp_path / "m"
    sizes = build(path, ["a@x"], encode_lines([b"first"]))
    path.write_bytes(path.read_bytes()[: sizes.data_offset + 4])
    with Message(str(path)) as message, pytest.raises(MessageDamaged):
        list(message.content_pieces(sizes.data_offset))
    path.write_bytes(path.read_bytes()[: sizes.data_offset] + b"N\xff\xff\xff\xff\xff")
    with Message(str(path)) as message, pytest.raises(MessageDamaged):
        list(message.content_pieces(sizes.data_offset))


def test_recipients_in_portions(tmp_path: Path) -> None:
    recipients = [f"user{number}@example.org" for number in range(2500)]
    build(tmp_path / "m", recipients, encode_lines([b"hello"]))
    with Message(str(tmp_path / "m")) as message:
        envelope = Envelope(message)
        seen: list[str] = []
        portions = 0
        while not envelope.complete:
            envelope.read(1000)
            assert len(envelope.recipients) <= 1000
            seen += [found.recipient for found in envelope.recipients]
            envelope.recipients.clear()
            portions += 1
        assert seen == recipients
        assert portions in (3, 4)


def test_mark_done(tmp_path: Path) -> None:
    build(tmp_path / "m", ["a@x", "b@x"], b"")
    with Message(str(tmp_path / "m")) as message:
        envelope = Envelope(message)
        envelope.read()
        message.mark_done(envelope.recipients[0].offset)
    with Message(str(tmp_path / "m")) as message:
        again = Envelope(message)
        again.read()
        assert [found.recipient for found in again.recipients] == ["b@x"]
        assert again.recipients[0].dsn_orig_rcpt == "rfc822;b@x"


def test_long_lines_are_put_together(tmp_path: Path) -> None:
    line = bytes(range(33, 123)) * 100
    sizes = build(tmp_path / "m", ["a@x"], encode_lines([line, b"", b"end"]))
    with Message(str(tmp_path / "m")) as message:
        assert message.content(sizes.data_offset) == line + b"\n\nend\n"


def test_pointer_records_lead_to_the_heap_and_back(tmp_path: Path) -> None:
    path = tmp_path / "m"
    first = encode_lines([b"one"])
    pointer = encode_record(records.POINTER, b"%15d" % 0)
    last = encode_lines([b"three"])
    sizes = build(path, ["a@x"], first + pointer + last)
    data = path.read_bytes()
    here = sizes.data_offset + len(first)
    heap = encode_lines([b"two"]) + encode_record(records.POINTER, b"%15d" % (here + len(pointer)))
    data = data[:here] + encode_record(records.POINTER, b"%15d" % len(data)) + data[here + len(pointer) :] + heap
    path.write_bytes(data)
    with Message(str(path)) as message:
        assert message.content(sizes.data_offset) == b"one\ntwo\nthree\n"


def test_a_pointer_that_leads_to_itself_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "m"
    sizes = build(path, ["a@x"], encode_record(records.POINTER, b"%15d" % 0))
    data = bytearray(path.read_bytes())
    data[sizes.data_offset : sizes.data_offset + 17] = encode_record(records.POINTER, b"%15d" % sizes.data_offset)
    path.write_bytes(data)
    with Message(str(path)) as message, pytest.raises(MessageDamaged):
        message.content(sizes.data_offset)


@pytest.mark.parametrize("cut", [0, 50, 97, 120, 200])
def test_a_file_that_is_cut_off_is_damaged(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "m"
    build(path, [f"user{number}@example.org" for number in range(5)], b"")
    os.truncate(path, cut)
    with Message(str(path)) as message, pytest.raises(MessageDamaged):
        Envelope(message).read()


def test_locks(tmp_path: Path) -> None:
    path = tmp_path / "m"
    build(path, ["a@x"], b"")
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        Message(str(path), "shared").close()
        with pytest.raises(MessageBusy):
            Message(str(path), "exclusive")


def test_an_empty_file_is_damaged_even_when_closed(tmp_path: Path) -> None:
    (tmp_path / "m").touch()
    with Message(str(tmp_path / "m")) as message:
        assert message.head == b""
        message.close()
        with pytest.raises(MessageDamaged):
            Envelope(message).read()


def test_a_lock_that_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "ABC"
    build(path, ["a@x"], b"x\n")
    with Message(str(path), "exclusive") as first:
        with pytest.raises(MessageBusy):
            Message(str(path))
        first.unlock()
        Message(str(path)).close()
