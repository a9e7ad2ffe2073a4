from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.cleanup.edits import Edits
from pyfix.daemons.cleanup.message import Message
from pyfix.daemons.cleanup.setup import Setup
from pyfix.protocols.milter.modification import (
    AddHeader,
    AddRecipient,
    BodyPiece,
    ChangeHeader,
    ChangeSender,
    DeleteRecipient,
    InsertHeader,
    Modification,
)
from pyfix.protocols.milter.verdict import Refuse
from pyfix.rewriting.standard import StandardForm
from pyfix.runtime.log import log
from tests.unit.daemons.cleanup.conftest import SETTINGS, myorigin
from tests.unit.queue.test_room import content, made


def now(conversation: Coroutine[Any, Any, Any]) -> Any:
    with pytest.raises(StopIteration) as end:
        conversation.send(None)
    return end.value.value


def edited(folder: Path, *changes: Modification, limit: int = 0, **main: str) -> tuple[list[str], Message, list[Any]]:
    """Return the content after changes, the message, and the answers that were not None."""
    setup = Setup(CleanupSettings(Snapshot({**SETTINGS, **main})), StandardForm(myorigin))
    setup.open_tables()
    room = made(folder, ["A: 1", "Subject: x"], limit=limit)
    message = Message(setup, room._file)
    message.flags = 2
    edits = Edits(message, room, {}, exact=False)
    answers = [now(edits.edit(change)) for change in changes]
    answers.append(edits.end_body())
    return content(room), message, [answer for answer in answers if answer is not None]


def test_everything(tmp_path: Path) -> None:
    found, message, answers = edited(
        tmp_path,
        InsertHeader(1, b"First", b"1"),
        ChangeHeader(1, b"A", b"gr\xc3\xbcn"),
        ChangeHeader(1, b"Subject", b""),
        AddHeader(b"Last", b"a\n\tb"),
        BodyPiece(b"new bo"),
        BodyPiece(b"dy\r\nsecond"),
        ChangeSender(b"<c@d>", b""),
        AddRecipient(b"<user>", b"NOTIFY=NEVER"),
        DeleteRecipient(b"<x@y>"),
    )
    assert not answers
    assert found == ["First: 1", "Received: by here", "A: gr\u00fcn", "Last: a", "\tb", "", "new body", "second"]
    assert (message.sender, message.recipient_count) == ("c@d", 1)
    assert message.options, "a header of 8 bits"


def test_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(log, "_log", lambda severity, text: said.append(text))
    table = tmp_path / "checks"
    table.write_text("/^B:/ REJECT not that\n/^C:/ IGNORE\n/^D:/ REPLACE E: f\n")
    found, _, answers = edited(
        tmp_path, AddHeader(b"C", b"x"), AddHeader(b"D", b"x"), AddHeader(b"B", b"x"), milter_header_checks=f"regexp:{table}"
    )
    assert answers == [Refuse("550 5.7.1 not that", logged=True)]
    assert "E: f" in found
    assert "milter-header-reject: header B: x from localhost[127.0.0.1]" in said[-1]


def test_no_room_on_the_disk(tmp_path: Path) -> None:
    _, message, answers = edited(tmp_path, AddHeader(b"A", b"x" * 600), limit=600)
    assert answers
    assert message.errors
