"""What is read of a usual queue file in a short way is what the long way reads of it; what is unusual goes the long way."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.formats.queuefile import Sizes
from pyfix.formats.records import encode_record
from pyfix.queue import message as queue_message
from pyfix.queue.envelope import Envelope
from pyfix.queue.message import Message, MessageDamaged, decode_text

VALUES = st.one_of(st.text("ab@.=A\0RO\n ", max_size=12).map(str.encode), st.binary(max_size=140), st.just(b""))
NAMES = st.sampled_from([b"encoding", b"create_time", b"dsn_orig_rcpt", b"notify_flags", b"x", b"", b"xA.y"])
ATTRIBUTES = st.lists(
    st.one_of(
        st.builds(lambda name, value: encode_record(0x41, name + b"=" + value), NAMES, VALUES),
        VALUES.map(lambda value: encode_record(0x41, value)),
    ),
    max_size=3,
).map(b"".join)
TIMES = st.sampled_from([b"1795914346 417306", b"1795914346", b"1000000 5", b"0", b"7 ", b"x", b"1 2 3", b"9" * 20])
DETAILS = st.sampled_from([
    b"", encode_record(0x41, b"dsn_orig_rcpt=rfc822;o@x"), encode_record(0x41, b"notify_flags=2"),
    encode_record(0x41, b"notify_flags=x"),
    encode_record(0x41, b"dsn_orig_rcpt=rfc822;o@x") + encode_record(0x41, b"notify_flags=2"),
])  # fmt: skip
ORIGINALS = st.one_of(st.just(b""), VALUES.map(lambda value: encode_record(0x4F, value)))
OTHERS = st.one_of(st.just(b""), st.just(b""), st.builds(encode_record, st.sampled_from(b"CTASRODMXELVWp"), VALUES))
LINES = st.lists(st.builds(encode_record, st.sampled_from(b"NNNNLwA"), VALUES), max_size=4).map(b"".join)


@st.composite
def usual(draw: st.DrawFn) -> bytes:
    """Return a queue file of one recipient, not always a sound one."""
    envelope = encode_record(0x54, draw(TIMES)) + draw(ATTRIBUTES) + encode_record(0x53, draw(VALUES)) + draw(OTHERS) + draw(ATTRIBUTES)
    envelope += draw(DETAILS) + draw(ORIGINALS) + draw(DETAILS) + encode_record(0x52, draw(VALUES)) + draw(OTHERS) + b"M\0"
    content = draw(LINES)
    sizes = Sizes(len(content), 97 + len(envelope), draw(st.sampled_from([1, 1, 1, 2])), 0, len(content), 0)
    data = bytearray(sizes.encode() + envelope + content + b"X\0" + draw(ATTRIBUTES) + draw(OTHERS) + b"E\0")
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(97, len(data) - 1))
        data[at : at + 1] = draw(st.binary(max_size=3))
    return bytes(data)


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, "message")


def read(path: Path) -> tuple[Any, ...] | str:
    with Message(str(path)) as message:
        envelope = Envelope(message)
        try:
            envelope.read()
        except MessageDamaged as damage:
            return str(damage)
        names = ("arrival_time", "sender", "recipients", "attributes", "verp", "warn_time", "redirect", "filter", "complete")
        return tuple(getattr(envelope, name) for name in names)


@settings(max_examples=1500, deadline=None)
@given(data=usual())
def test_envelopes(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    found = read(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Envelope, "_read_usual", lambda *_arguments: False)
        assert found == read(path)


def test_a_usual_envelope_goes_the_short_way(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If not, nothing here would be shown."""
    monkeypatch.delattr(Envelope, "_walk")
    for sender in (b"s@x", b""):
        envelope = encode_record(0x54, b"1795914346 417306") + encode_record(0x41, b"create_time=1795914346")
        envelope += encode_record(0x53, sender) + encode_record(0x41, b"client_name=unknown")
        envelope += encode_record(0x41, b"dsn_orig_rcpt=rfc822;o@x") + encode_record(0x4F, b"o@x") + encode_record(0x52, b"r@x") + b"M\0"
        tail = encode_record(0x41, b"message_id=<x@y>") + b"E\0"
        path.write_bytes(Sizes(7, 97 + len(envelope), 1, 0, 7, 0).encode() + envelope + b"N\x05hello" + b"X\0" + tail)
        found = read(path)
        assert found[:2] == (1795914346.417306, sender.decode())
        assert found[2] == [("o@x", "r@x", 97 + len(envelope) - 7, "rfc822;o@x", 0)]
        assert found[3] == {"create_time": "1795914346", "client_name": "unknown", "message_id": "<x@y>"}


@settings(max_examples=1500, deadline=None)
@given(data=st.builds(lambda lines, end: lines + end, LINES, st.sampled_from([b"X\0E\0", b"X\0", b"X", b"", b"E\0", b"N\x09x"])))
def test_content(data: bytes) -> None:
    def decoded() -> tuple[bytes, int, int, bool] | str:
        try:
            parts, used, jump, ended = decode_text(data)
        except MessageDamaged as damage:
            return str(damage)
        return b"".join(parts), used, jump, ended

    found = decoded()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queue_message, "_decode_small", lambda _data: None)
        assert found == decoded()


def test_a_small_text_goes_the_short_way() -> None:
    assert queue_message._decode_small(b"N\x02hiN\0N\x01xX\0A\x03a=bE\0") == ([b"hi\n\nx\n"], 11, 0, True)
    assert queue_message._decode_small(b"X\0E\0") == ([], 2, 0, True)
