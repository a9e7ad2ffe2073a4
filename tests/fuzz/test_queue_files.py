"""Damaged queue files, logs and submissions: read in bounded time and memory, or found to be damaged."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.pickup.filter import Malformed, NoSender, PostedFilter
from pyfix.daemons.qmgr.intake import Intake
from pyfix.daemons.qmgr.request import encode_request
from pyfix.daemons.showq.listing import list_message
from pyfix.formats.queuefile import Sizes
from pyfix.formats.records import encode_record, read_records
from pyfix.protocols.internal.delivery import decode_whole
from pyfix.queue.bouncelog import LogEntry, append_entry, encode_entry, load_entries, read_entries
from pyfix.queue.envelope import Envelope
from pyfix.queue.message import Message, MessageBusy, MessageDamaged
from pyfix.queue.spool import Spool
from pyfix.runtime.log import log
from pyfix.scheduling.feedback import ConcurrencyRules
from pyfix.scheduling.message import ActiveMessage, Entry
from pyfix.scheduling.transport import Destination, Transport

QUEUE_ID = "0123456789A"
QMGR = QmgrSettings(Snapshot({"compatibility_level": "3.11", "myhostname": "mail.ours.example"}))
MOST_CONTENT = 2_000_000
"""A file of a few hundred bytes must not unfold into more than this."""

KINDS = st.one_of(st.sampled_from(b"CTASRODPNLXEMpFdwWVier\0"), st.integers(0, 255))
TEXTS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([
        b"%15d" % 0, b"%15d" % 97, b"%15d" % 120, b"%15d" % 10**14, b"-1", b"9" * 5000, b"9" * 18, b"9" * 25, b"1 " + b"9" * 18, b"1000000 5", b"user@ours.example",
        b"notify_flags=9", b"notify_flags=" + b"9" * 5000, b"dsn_orig_rcpt=x", b"encoding=8bit", b"create_time=x", b"trace_flags=" + b"9" * 5000,
        b"\xb2", b"a=\xb2", b"notify_flags=\xb2", b"\xc2\xb2", b"1 \xc2\xb2", b"trace_flags=\xc2\xb2", b"1" * 300,
    ]),
)  # fmt: skip
RECORDS = st.lists(st.builds(encode_record, KINDS, TEXTS), max_size=14).map(b"".join)
SIZES = st.builds(
    lambda *numbers: encode_record(0x43, b" ".join(b"%15d" % number for number in numbers)),
    *[st.one_of(st.integers(-3, 400), st.integers(0, 10**15 - 1))] * 6,
)


def whole(sender: bytes, recipients: list[bytes], content: list[bytes]) -> bytes:
    """Return a queue file as cleanup(8) writes it."""
    envelope = encode_record(0x54, b"1000000 5") + encode_record(0x53, sender)
    envelope += b"".join(encode_record(0x52, recipient) for recipient in recipients) + encode_record(0x4D)
    text = b"".join(encode_record(0x4E, line) for line in content)
    sizes = Sizes(len(text), 97 + len(envelope), len(recipients), 0, len(text), 0)
    return sizes.encode() + envelope + text + encode_record(0x58) + encode_record(0x45)


WHOLE = st.builds(
    whole,
    st.binary(max_size=20),
    st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=4),
    st.lists(st.binary(max_size=80), max_size=8),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return a good file of which some bytes were changed, cut away or put in."""
    data = bytearray(draw(WHOLE))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 3)):
            case 0:
                del data[at:]
            case 1:
                del data[at : at + draw(st.integers(1, 40))]
            case 2:
                data[at:at] = draw(st.one_of(st.binary(max_size=20), RECORDS))
            case _:
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
    return bytes(data)


LONG = b"".join(encode_record(0x4E, b"x" * 70) for _ in range(70))
"""So much content that the file is longer than what is read at first."""
FILES = st.one_of(
    st.binary(max_size=400),
    RECORDS,
    st.builds(lambda sizes, rest, more: sizes + rest + more, SIZES, RECORDS, st.sampled_from([b"", b"", LONG])),
    WHOLE,
    damaged(),
    damaged().map(lambda data: data + LONG),
)


@pytest.fixture(scope="module")
def spool() -> Iterator[Spool]:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("active", "incoming", "deferred", "maildrop", "hold", "corrupt", "defer", "bounce", "trace"):
            Path(folder, name).mkdir()
        yield Spool((), 1, folder)


def put(spool: Spool, data: bytes, queue: str = "active") -> str:
    path = spool.path(queue, QUEUE_ID)
    Path(path).write_bytes(data)
    os.chmod(path, 0o700)
    return path


@settings(max_examples=400, deadline=None)
@given(data=FILES, most=st.sampled_from([0, 1, 2]))
def test_envelopes(spool: Spool, data: bytes, most: int) -> None:
    """What qmgr(8) reads; with what it has read it can make a request that an agent understands."""
    with Message(put(spool, data)) as message:
        envelope = Envelope(message)
        try:
            for _ in range(1000):
                envelope.read(most)
                if envelope.complete:
                    break
        except MessageDamaged as damage:
            assert str(damage)
            return
        assert envelope.complete
        assert len(envelope.recipients) <= len(data)
        assert all(isinstance(value, str) for value in envelope.attributes.values())
        if not envelope.recipients or envelope.sender is None or not envelope.arrival_time:
            return
        active = ActiveMessage(QUEUE_ID, envelope, message.sizes, 1.0)
        rules = ConcurrencyRules(1, 1, lambda _: 1.0, 1.0, lambda _: 1.0, 1.0, 1)
        destination = Destination(Transport("virtual", rules, 50, 0), "x", "x")
        request = encode_request(Entry(active, destination, envelope.recipients), "3.11")
        assert request.endswith(b"\0\0")
        found = decode_whole(request)
        assert found is None or len(found[1]) == len(envelope.recipients)


@settings(max_examples=300, deadline=None)
@given(data=FILES, numbers=st.lists(st.sampled_from([
    b"trace_flags=", b"notify_flags=", b"ret_flags=", b"create_time=", b"encoding=", b"verp=", b"",
]), max_size=3), value=TEXTS)  # fmt: skip
def test_intake(spool: Spool, data: bytes, numbers: list[bytes], value: bytes) -> None:
    """A file in incoming becomes active, or goes to corrupt; both are said in the log."""
    if numbers:
        extra = b"".join(encode_record(0x41, name + value) for name in numbers) + encode_record(0x57, value)
        data = data[:97] + extra + data[97:] if len(data) % 2 else whole(b"a@b", [b"c@d"], [])[:-4] + extra + b"X\0E\0"
    path = put(spool, data, "incoming")
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log, "_log", lambda _severity, text: said.append(text))
        intake = Intake(QMGR, spool)
        (found,), _seen = intake.due([(QUEUE_ID, path)], 2e9, most=1, ignore_times=True)
        fetched = intake.fetch("incoming", found)
        assert fetched is not None
        taken = intake.read(fetched, now=2e9, most=10)
    assert not os.path.exists(path)
    assert os.path.exists(spool.path("active" if taken else "corrupt", QUEUE_ID))
    assert any("queue active" in text if taken else "saving corrupt file" in text for text in said)
    if taken and taken.envelope.message.fd >= 0:
        taken.envelope.message.close()


@settings(max_examples=400, deadline=None)
@given(data=FILES, size=st.sampled_from([1 << 18, 64, 16]))
def test_content(spool: Spool, data: bytes, size: int) -> None:
    """What agents deliver."""
    with Message(put(spool, data)) as message, contextlib.suppress(MessageDamaged):
        offset = message.sizes.data_offset
        if offset < 1 << 62:
            length = 0
            for block in message.content_blocks(max(offset, 0), size):
                length += len(block)
                assert length < MOST_CONTENT


@settings(max_examples=200, deadline=None)
@given(data=FILES)
def test_listing(spool: Spool, data: bytes) -> None:
    """What showq(8) reports."""
    for queue in ("active", "maildrop"):
        path = put(spool, data, queue)
        found = list_message(spool, queue, QUEUE_ID, path, null_sender="MAILER-DAEMON", most_recipients=10)
        if found is not None:
            assert found.encode().endswith(b"\0")


@settings(max_examples=300, deadline=None)
@given(data=st.one_of(RECORDS, st.binary(max_size=300), damaged()), piece=st.integers(1, 200))
def test_submissions(data: bytes, piece: int) -> None:
    """What pickup(8) passes on of a file in maildrop, however it is read, is whole records and nothing forbidden."""
    results = []
    for size in (1 << 20, piece):
        reader = PostedFilter(2048, lambda sender: [b"Received: x"])
        out = b""
        try:
            for start in range(0, len(data), size):
                out += reader.feed(data[start : start + size])
                if reader.done:
                    break
            reader.end()
        except (Malformed, NoSender) as fault:
            results.append(type(fault).__name__)
        else:
            kinds = {chr(record.kind) for record in read_records(out)}
            assert not kinds & set("DpKW")
            results.append(out.decode("latin-1"))
    assert results[0] == results[1]


@settings(max_examples=300, deadline=None)
@given(st.one_of(
    st.binary(max_size=300),
    st.lists(st.builds(
        lambda name, value, end: name + value + end,
        st.sampled_from([b"recipient=", b"offset=", b"notify_flags=", b"reason=", b"original_recipient=", b"<a@b>: ", b"<", b""]),
        st.sampled_from([b"a@b", b"9" * 5000, b"-1", b"<>", b"=", b"5", b"\xff", b"\0", b"\xc2\xb2", b""]),
        st.sampled_from([b"\n", b"\n", b"\n", b"\n\n", b""]),
    )).map(b"".join),
))  # fmt: skip
def test_logs_of_outcomes(data: bytes) -> None:
    for entry in read_entries(data):
        assert entry.recipient is not None
        assert entry.offset >= 0 and entry.notify >= 0


@settings(max_examples=200, deadline=None)
@given(entries=st.lists(st.builds(
    LogEntry, *[st.text(min_size=1, max_size=30)] * 2, st.integers(0, 10**9), st.text(max_size=20), st.integers(0, 15),
    *[st.text(max_size=20)] * 7,
), max_size=4))  # fmt: skip
def test_logs_keep_their_entries_apart(spool: Spool, entries: list[LogEntry]) -> None:
    """No text in an entry makes two of one."""
    path = Path(spool.path("defer", QUEUE_ID))
    path.unlink(missing_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _fd: None)
        for entry in entries:
            data = encode_entry(entry, entry.recipient, entry.original_recipient, with_old_line=True)
            append_entry(spool, "defer", QUEUE_ID, data)
    found = load_entries(spool, "defer", QUEUE_ID)
    assert len(found) == len(entries)
    assert [entry.offset for entry in found] == [entry.offset for entry in entries]


def test_locked_files_are_busy(spool: Spool) -> None:
    path = put(spool, b"")
    with Message(path, "exclusive"), pytest.raises(MessageBusy):
        Message(path)
