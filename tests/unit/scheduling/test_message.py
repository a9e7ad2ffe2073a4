from __future__ import annotations

from pathlib import Path

from pyfix.formats.records import FILTER, REDIRECT, VERP, WARN, encode_lines, encode_record
from pyfix.queue.envelope import Envelope
from pyfix.queue.message import Message
from pyfix.scheduling.message import ActiveMessage
from tests.unit.queue.test_message import build


def test_what_is_taken_from_the_envelope(tmp_path: Path) -> None:
    middle = encode_record(FILTER, b"f") + encode_record(REDIRECT, b"to@x") + encode_record(VERP, b"+=") + encode_record(WARN, b"55")
    build(tmp_path / "m", ["a@x"], encode_lines([b"x"]), middle=middle)
    with Message(str(tmp_path / "m")) as file:
        envelope = Envelope(file)
        envelope.read()
        message = ActiveMessage("ABC", envelope, file.sizes, 2000.0)
    assert (message.queue_id, message.sender, message.arrival_time, message.active_time) == ("ABC", "s@x", 1000.25, 2000.0)
    assert (message.filter, message.redirect, message.verp, message.warn_time) == ("f", "to@x", "+=", 55)
    assert message.warn_offset > 0 and message.attributes["encoding"] == "8bit"
    assert (message.complete, message.deferred, message.expire, message.outstanding, message.flags) == (True, False, False, 0, 0)


def test_no_sender_is_the_null_sender(tmp_path: Path) -> None:
    build(tmp_path / "m", ["a@x"], encode_lines([b"x"]))
    with Message(str(tmp_path / "m")) as file:
        assert ActiveMessage("ABC", Envelope(file), file.sizes, 1.0).sender == ""
