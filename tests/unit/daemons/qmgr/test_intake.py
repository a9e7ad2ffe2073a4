"""Which files become active, and what is read of them."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.qmgr.intake import Intake, Taken
from pyfix.formats import records
from pyfix.formats.records import VERP, WARN, encode_attribute, encode_lines, encode_record
from pyfix.protocols.internal.delivery import RECORD_DELAY_SENT
from pyfix.queue.spool import Spool
from pyfix.runtime.log import log
from tests.unit.queue.test_message import build
from tests.unit.runtime.forked import in_child

NOW = 2000.0


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    for name in ("incoming", "active", "deferred", "corrupt", "defer"):
        (tmp_path / name).mkdir()
    return Spool((), 1, str(tmp_path))


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(log, "_log", lambda severity, text: found.append(text if severity == "info" else f"{severity}: {text}"))
    return found


@pytest.fixture
def intake(spool: Spool, lines: list[str]) -> Intake:
    return make(spool)


def make(spool: Spool, **main: str) -> Intake:
    snapshot = Snapshot({"compatibility_level": "3.11", "myhostname": "mail.ours.example", **main})
    return Intake(QmgrSettings(snapshot), spool)


def put(spool: Spool, queue: str = "incoming", *, mode: int = 0o700, when: float = NOW - 5, middle: bytes = b"") -> Path:
    path = Path(spool.path(queue, "ABC123"))
    build(path, ["a@x", "b@x"], encode_lines([b"x"]), middle=middle)
    path.chmod(mode)
    os.utime(path, (when, when))
    return path


def take(intake: Intake, path: Path, *, ignore_time: bool = False, room: int = 1000) -> Taken | None:
    due, seen = intake.due([("ABC123", str(path))], NOW, most=1, ignore_times=ignore_time)
    assert seen == 1
    fetched = intake.fetch(path.parent.name, due[0]) if due else None
    return None if fetched is None else intake.read(fetched, now=NOW, most=room)


def test_a_message(intake: Intake, spool: Spool, lines: list[str]) -> None:
    path = put(spool)
    taken = take(intake, path)
    assert taken is not None and not path.exists() and os.path.exists(spool.path("active", "ABC123"))
    message = taken.message
    assert (message.queue_id, message.sender, message.arrival_time, message.active_time) == ("ABC123", "s@x", 1000.25, NOW)
    assert message.complete and not message.expire and not taken.unthrottle
    assert [one.recipient for one in taken.envelope.recipients] == ["a@x", "b@x"]
    assert lines == ["ABC123: from=<s@x>, size=3, nrcpt=2 (queue active)"]


def test_no_more_are_looked_at_than_are_wanted(intake: Intake, spool: Spool) -> None:
    """Those that are not due, and those that are gone, do not count."""
    path = put(spool)
    late = path.with_name("LATE123")
    late.touch(0o700)
    os.utime(late, (NOW + 9, NOW + 9))
    files = [("LATE123", str(late)), ("GONE", str(path) + "x"), ("ABC123", str(path)), ("ABC123", str(path)), ("ABC123", str(path))]
    due, seen = intake.due(iter(files), NOW, most=2, ignore_times=False)
    assert ([found.queue_id for found in due], seen) == (["ABC123", "ABC123"], 4)


@pytest.mark.parametrize(("when", "ignore_time", "taken"), [(NOW, False, True), (NOW + 1, False, True), (NOW + 2, False, False), (NOW + 2, True, True)])
def test_when_its_time_has_come(intake: Intake, spool: Spool, when: float, ignore_time: bool, taken: bool) -> None:
    path = put(spool, when=when)
    assert (take(intake, path, ignore_time=ignore_time) is not None) is taken
    assert path.exists() is not taken


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o500])
def test_files_that_are_not_ready(intake: Intake, spool: Spool, mode: int) -> None:
    path = put(spool, mode=mode)
    assert take(intake, path) is None and path.exists()


def test_a_file_that_is_marked_corrupt(intake: Intake, spool: Spool, lines: list[str]) -> None:
    assert take(intake, put(spool, mode=0o400)) is None
    assert os.path.exists(spool.path("corrupt", "ABC123"))
    assert lines == ['warning: saving corrupt file "ABC123" from queue "incoming" to queue "corrupt"']


def test_files_that_are_none_of_ours(intake: Intake, spool: Spool, lines: list[str]) -> None:
    path = put(spool)
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert take(intake, path) is None
    assert lines[-1] == f"warning: {path}: uid {os.getuid()}: not a regular file"


def test_files_that_are_gone(intake: Intake, spool: Spool) -> None:
    path = put(spool)
    path.unlink()
    assert take(intake, path) is None


@pytest.mark.parametrize(
    ("mode", "expire", "unthrottle"), [(0o710, True, False), (0o740, False, True), (0o750, True, True)]
)
def test_what_the_mode_orders(intake: Intake, spool: Spool, mode: int, expire: bool, unthrottle: bool) -> None:
    taken = take(intake, put(spool, mode=mode))
    assert taken is not None and (taken.message.expire, taken.unthrottle) == (expire, unthrottle)
    assert os.stat(spool.path("active", "ABC123")).st_mode & 0o040 == 0, "once is enough"


@pytest.mark.parametrize("damage", [b"", b"junk", encode_record(records.SIZE, b"%15d" % 0)])
def test_damaged_files(intake: Intake, spool: Spool, lines: list[str], damage: bytes) -> None:
    path = put(spool)
    path.write_bytes(damage)
    path.chmod(0o700)
    os.utime(path, (1, 1))
    assert take(intake, path) is None
    assert os.path.exists(spool.path("corrupt", "ABC123"))
    assert lines[-2].startswith("warning: ABC123: message rejected: ")


def test_a_message_that_an_agent_may_still_be_at_work_on(intake: Intake, spool: Spool, lines: list[str]) -> None:
    path = put(spool)
    intake.doubtful.add("ABC123")
    with path.open("r+b") as agent:
        fcntl.flock(agent, fcntl.LOCK_SH)
        assert take(intake, path) is None
    assert lines == ["ABC123: skipped, still being delivered"]
    waiting = Path(spool.path("deferred", "ABC123"))
    assert waiting.stat().st_mtime > time.time() + 100
    assert take(intake, waiting, ignore_time=True) is not None, "the next time nobody doubts"


@pytest.mark.parametrize(("mode", "stays"), [(0o700, False), (0o710, True)])
def test_what_an_agent_deferred_when_nobody_listened(intake: Intake, spool: Spool, mode: int, stays: bool) -> None:
    """Its log goes with a message that begins anew, fresh as it may be; of one that is to expire it is the reason."""
    path = put(spool, mode=mode)
    intake.doubtful.add("ABC123")
    log = Path(spool.path("defer", "ABC123"))
    log.write_text("deferred")
    just_now = 1000.5
    due, _seen = intake.due([("ABC123", str(path))], just_now, most=1, ignore_times=True)
    fetched = intake.fetch("incoming", due[0])
    assert fetched is not None and intake.read(fetched, now=just_now, most=10) is not None
    assert log.exists() is stays


def test_recipients_in_portions(spool: Spool, lines: list[str]) -> None:
    intake = make(spool, qmgr_message_recipient_limit="1")
    taken = take(intake, put(spool), room=1)
    assert taken is not None and not taken.message.complete and taken.message.envelope is taken.envelope
    assert len(taken.envelope.recipients) == 1
    taken.envelope.message.close()


@pytest.mark.parametrize(
    ("middle", "main", "flags"),
    [
        (encode_attribute("trace_flags", "512"), {}, 512), (encode_attribute("trace_flags", "x"), {}, 0),
        (encode_record(WARN, b"%15d" % -1), {"confirm_delay_cleared": "yes"}, RECORD_DELAY_SENT),
        (encode_record(WARN, b"%15d" % -1), {}, 0),
    ],
)  # fmt: skip
def test_flags(spool: Spool, lines: list[str], middle: bytes, main: dict[str, str], flags: int) -> None:
    taken = take(make(spool, **main), put(spool, middle=middle))
    assert taken is not None and taken.message.flags == flags


def test_verp(intake: Intake, spool: Spool, lines: list[str]) -> None:
    taken = take(intake, put(spool, middle=encode_record(VERP, b"+=")))
    assert taken is not None and taken.message.verp == "+="
    os.unlink(spool.path("active", "ABC123"))
    taken = take(intake, put(spool, middle=encode_record(VERP, b"+=x")))
    assert taken is not None and taken.message.verp == ""
    assert 'warning: ABC123: ignoring bad VERP request: "+=x"' in lines


def test_reasons_of_the_last_time_are_forgotten(intake: Intake, spool: Spool) -> None:
    reasons = Path(spool.path("defer", "ABC123"))
    reasons.touch()
    assert take(intake, put(spool, "deferred")) is not None
    assert not reasons.exists()
    reasons.touch()
    Path(spool.path("active", "ABC123")).unlink()
    take(intake, put(spool, "deferred", mode=0o710))
    assert reasons.exists(), "an expired message is not tried again: they are what its sender is told"


def test_deferring(intake: Intake, spool: Spool, lines: list[str]) -> None:
    put(spool, "active")
    intake.defer("ABC123", 500)
    assert abs(os.stat(spool.path("deferred", "ABC123")).st_mtime - time.time() - 500) < 10
    intake.defer("ABC123", 500)
    assert lines == []


def test_a_file_that_cannot_be_opened_ends_the_process(intake: Intake, spool: Spool) -> None:
    """The next one puts it back; parity is in tests/parity/qmgr."""
    path = put(spool)
    said = path.with_name("said")

    def body() -> None:
        log._log = lambda severity, text: said.write_text(f"{severity}: {text}")  # type: ignore[method-assign]  # what the test listens with
        os.open = lambda *_arguments, **_more: (_ for _ in ()).throw(PermissionError(13, "Permission denied"))  # type: ignore[assignment]  # instead of the real one
        take(intake, path)

    assert in_child(body) == ""
    assert said.read_text() == "fatal: open active ABC123: Permission denied"


@pytest.mark.parametrize(("mode", "whole"), [(0o700, True), (0o710, True), (0o400, False), (0o600, False)])
def test_an_active_file_that_an_agent_has_marked(
    intake: Intake, spool: Spool, lines: list[str], mode: int, whole: bool
) -> None:
    path = put(spool, "active")
    path.chmod(mode)
    assert intake.is_whole("ABC123") is whole
    assert path.exists() is whole
    assert lines == ([] if whole else ['warning: saving corrupt file "ABC123" from queue "active" to queue "corrupt"'])


def test_an_active_file_that_is_gone_is_not_damaged(intake: Intake, lines: list[str]) -> None:
    assert intake.is_whole("ABC123") and lines == []


def test_an_active_file_that_has_become_something_else(intake: Intake, spool: Spool, lines: list[str]) -> None:
    path = put(spool, "active")
    path.unlink()
    path.mkdir(0o700)
    assert not intake.is_whole("ABC123")
    assert lines[0] == f"warning: {path}: uid {os.getuid()}: not a regular file"


def test_a_file_that_cannot_be_read(intake: Intake, spool: Spool, monkeypatch: pytest.MonkeyPatch, lines: list[str]) -> None:
    def fail(*_arguments: object) -> bytes:
        raise OSError(5, "Input/output error")

    path = put(spool)
    monkeypatch.setattr(os, "pread", fail)
    assert take(intake, path) is None
    assert "warning: ABC123: message rejected: missing end record" in lines
    assert os.path.exists(spool.path("corrupt", "ABC123"))
