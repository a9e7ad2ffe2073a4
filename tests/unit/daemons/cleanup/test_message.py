from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.cleanup.message import CANNOT_BOUNCE, Message
from pyfix.daemons.cleanup.setup import Setup
from pyfix.formats import status as bits
from pyfix.formats.queuefile import SMTPUTF8_HEADER
from pyfix.protocols.internal.cleanup import AUTO_UTF8, BOUNCE, DISCARD, SMTPUTF8
from pyfix.queue.spool import Spool
from pyfix.queue.writer import QueueFileWriter, SizeLimitExceeded
from pyfix.rewriting.standard import StandardForm
from pyfix.runtime.log import log

from .conftest import SETTINGS, myorigin


@pytest.fixture
def message(tmp_path: Path) -> Message:
    (tmp_path / "incoming").mkdir()
    setup = Setup(CleanupSettings(Snapshot(SETTINGS)), StandardForm(lambda *words: myorigin(*words)))
    return Message(setup, QueueFileWriter.create(Spool((), 1, str(tmp_path)), long_ids=False, limit=100))


@pytest.mark.parametrize(
    ("error", "plain", "to_be_returned"),
    [
        (bits.BAD, False, False), (bits.WRITE, False, False), (bits.SIZE, False, False), (bits.DEFER, False, False),
        (bits.CONTENT, False, True), (bits.HOPS, False, True), (0, True, True),
    ],
)  # fmt: skip
def test_which_errors_end_the_work(message: Message, error: int, plain: bool, to_be_returned: bool) -> None:
    """A message that is to be returned to its sender is read to its end, unless that is no use."""
    message.begin(0)
    message.errors = error
    assert message.going is plain
    message.begin(BOUNCE)
    assert message.going is to_be_returned


def test_a_message_to_be_dropped_is_not_worked_on(message: Message) -> None:
    message.begin(DISCARD)
    assert not message.going


def test_refusing(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(log, "warning", lines.append)
    message.refuse("why")
    message.refuse("too far", bits.HOPS)
    assert message.errors == bits.BAD | bits.HOPS
    assert lines == [f"{message.queue_id}: message rejected: why", f"{message.queue_id}: message rejected: too far"]


@pytest.mark.parametrize(("flags", "utf8"), [(0, False), (AUTO_UTF8, True), (SMTPUTF8, True)])
def test_headers_beyond_ascii(message: Message, flags: int, utf8: bool) -> None:
    message.begin(flags)
    message.note_8bit()
    assert message.options == SMTPUTF8_HEADER
    assert message.smtputf8 is utf8


def test_records_go_to_the_file_together(message: Message, tmp_path: Path) -> None:
    message.put(ord("N"), b"hello")
    message.put(ord("N"), b"")
    assert message.flush() == 9
    assert message.flush() == 9
    message.put(ord("N"), b"x" * 100)
    with pytest.raises(SizeLimitExceeded):
        message.flush()


def test_nothing_is_returned_after_an_error_of_ours() -> None:
    assert CANNOT_BOUNCE & bits.WRITE and not CANNOT_BOUNCE & bits.CONTENT
