from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.cleanup.message import Message
from pyfix.daemons.cleanup.setup import Setup
from pyfix.formats import status as bits
from pyfix.protocols.internal.cleanup import HOLD, MILTER
from pyfix.rewriting.standard import StandardForm
from pyfix.runtime.log import log
from tests.kit.milter import CONTINUE, REJECT, Script, ScriptedMilter, add_header, quarantine
from tests.unit.clients.server import run
from tests.unit.daemons.cleanup.conftest import SETTINGS, Submit, myorigin, record
from tests.unit.queue.test_room import content, made


def taken(folder: Path, script: Script) -> tuple[Message, list[str], list[str]]:
    """Let a milter see a local message; return it, what the milter heard, and the content."""
    with ScriptedMilter() as server:
        server.script = script
        main = {**SETTINGS, "non_smtpd_milters": server.endpoint}
        setup = Setup(CleanupSettings(Snapshot(main)), StandardForm(myorigin))
        setup.open_tables()
        room = made(folder, ["A: 1"])
        message = Message(setup, room._file)
        message.begin(MILTER)
        message.room = room
        message.sender, message.segment_end = "s@x", room.content_end
        message.begin_local_milters()
        milters = message.milters
        assert milters is not None

        async def go() -> None:
            await milters.sender()
            milters.note_recipient("r@y")
            await milters.inspect()
            milters.end()

        run(go())
        heard = [line.split("|")[0] for line in server.events() if not line.startswith(("macro", "--", "optneg"))]
    return message, heard, content(room)


def test_a_session_is_made_up(tmp_path: Path) -> None:
    message, heard, found = taken(tmp_path, Script({"eom": [add_header("B", "2"), CONTINUE]}))
    assert not message.errors
    assert [line.split()[0] for line in heard] == [
        "connect", "helo", "mail", "rcpt", "data", "header", "eoh", "body", "eom", "quit",
    ]  # fmt: skip
    assert heard[1:4] == ["helo localhost", "mail s@x", "rcpt r@y"]
    assert found == ["Received: by here", "A: 1", "B: 2", "", "hello"]


@pytest.mark.parametrize(("stage", "error"), [("eom", bits.CONTENT), ("rcpt", bits.DEFER), ("connect", bits.CONTENT)])
def test_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, error: int) -> None:
    monkeypatch.setattr(log, "_log", lambda severity, text: None)
    message, _, _ = taken(tmp_path, Script({stage: [REJECT]}))
    assert message.errors == error


def test_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(log, "_log", lambda severity, text: said.append(text))
    message, _, _ = taken(tmp_path, Script({"eom": [quarantine("why"), CONTINUE]}))
    assert message.flags & HOLD
    assert "milter-hold: END-OF-MESSAGE from localhost[127.0.0.1]: why; from=<s@x>" in said[-1]


def test_room_without_milters(submit: Submit) -> None:
    """smtpd(8) says that it has milters, and then that none of them takes part."""
    none = record("m", "0")
    envelope = none + record("T", "1000000 5") + record("S", "s@x") + record("R", "user@ours.example") + none
    tail = record("M") + record("N", "Received: by here") + record("N") + record("N", "hi") + record("X") + record("E")
    outcome = submit(envelope + tail, flags=MILTER)
    assert outcome.kinds().count("p") == 5
    assert outcome.status == 0


def test_nonsense_about_milters(submit: Submit) -> None:
    start = record("T", "1000000 5") + record("S", "s@x")
    assert submit(start + record("m", "x") + record("E")).status == bits.BAD
    outcome = submit(start + record("m", "1") + b"what\0is\0this\0" + record("E"))
    assert outcome.status == bits.BAD
    assert any("cannot receive milters" in line for line in outcome.log)


