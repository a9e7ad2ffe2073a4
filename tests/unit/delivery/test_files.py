"""Mailbox files, Maildirs and their batches, with the caller's own rights."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyfix.config.errors import ConfigError
from pyfix.delivery import filebatch
from pyfix.delivery.filebatch import FileBatch, FileTarget
from pyfix.delivery.locks import LockBusy, parse_methods, take_dotlock
from pyfix.delivery.mailbox import MailboxRules, MailboxStore, check_size_limit
from pyfix.delivery.maildir import MaildirTarget
from pyfix.delivery.outcome import BOUNCED, DEFERRED, SENT, Outcome
from pyfix.delivery.output import Output
from pyfix.formats.records import encode_lines
from pyfix.queue.message import Message
from pyfix.runtime.identity import Owner
from pyfix.runtime.task import Waiter
from tests.unit.queue.test_message import build

ME = Owner(os.geteuid(), os.getegid())
CONTENT = b"Subject: x\n\nFrom here\nhello\n"


class FakeDelivery:
    """As much of a Delivery as an Output reads."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.request: Any = type("Request", (), {"offset": message.sizes.data_offset})


@pytest.fixture
def output(tmp_path: Path) -> Iterator[Callable[..., Output]]:
    opened: list[Message] = []

    def make(content: bytes = CONTENT, sender: str = "s@x.example") -> Output:
        path = tmp_path / f"message{len(opened)}"
        build(path, ["a@x.example"], encode_lines(content.split(b"\n")[:-1]))
        opened.append(Message(str(path)))
        delivery: Any = FakeDelivery(opened[-1])
        return Output(delivery, sender, "orig@x.example", "a@x.example")

    yield make
    for message in opened:
        message.close()


class Turns:
    """A loop of which only the ends of turns and the timers are wanted."""

    def __init__(self) -> None:
        self.ends: list[Callable[[], None]] = []
        self.timers: list[Callable[[], None]] = []

    def at_turn_end(self, call: Callable[[], None]) -> None:
        self.ends.append(call)

    def later(self, _seconds: float, call: Callable[..., None], *arguments: object) -> None:
        self.timers.append(lambda: call(*arguments))

    def soon(self, call: Callable[[], None]) -> None:
        call()

    def turn(self) -> None:
        timers, self.timers = self.timers, []
        for call in timers:
            call()
        ends, self.ends = self.ends, []
        for call in ends:
            call()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    made = Turns()
    monkeypatch.setattr(filebatch, "current", lambda: made)
    monkeypatch.setattr("pyfix.runtime.task.current", lambda: made)
    return made


def deliver(turns: Turns, *targets: FileTarget) -> list[Outcome]:
    """Deliver all targets in one turn."""
    batch = FileBatch(1.0)
    for target in targets:
        target.waiter = Waiter()
        batch._enqueue(target)
    for _ in range(20):
        if all(target.waiter.done for target in targets):
            break
        turns.turn()
    return [target.waiter._value for target in targets]  # type: ignore[misc]  # all are done


def store(**changes: Any) -> MailboxStore:
    rules: dict[str, Any] = {
        "locks": frozenset(("fcntl", "dotlock")), "limit": 0, "stale_lock_time": 500, "lock_attempts": 2,
        "strict_ownership": True,
    }  # fmt: skip
    return MailboxStore(MailboxRules(**(rules | changes)))


def test_a_mailbox_gets_messages_of_one_turn_under_one_lock(
    turns: Turns, tmp_path: Path, output: Callable[..., Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    path = str(tmp_path / "mbox")
    made = store()
    outcomes = deliver(turns, *(made.target(ME, path, output()) for _ in range(3)))
    assert [outcome.text for outcome in outcomes] == ["delivered to mailbox"] * 3
    text = Path(path).read_bytes()
    assert text.count(b"\nReturn-Path: <s@x.example>\nX-Original-To: orig@x.example\nDelivered-To: a@x.example\n") == 3
    assert text.startswith(b"From s@x.example  ") and text.count(b"\n\n>From here\nhello\n\n") == 3
    assert len(synced) == 1
    assert sorted(os.listdir(tmp_path)) == ["mbox", "message0", "message1", "message2"]
    assert made.open_mailboxes == {}


def test_a_mailbox_is_synced_before_success_is_told(
    turns: Turns, tmp_path: Path, output: Callable[..., Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    path = tmp_path / "mbox"
    path.write_bytes(b"old\n")
    monkeypatch.setattr(os, "fsync", fail)
    outcomes = deliver(turns, store().target(ME, str(path), output()))
    assert outcomes[0].kind == BOUNCED and "error writing message" in outcomes[0].text
    assert path.read_bytes() == b"old\n"


def test_a_mailbox_that_grows_too_large_is_cut_back(
    turns: Turns, tmp_path: Path, output: Callable[..., Output]
) -> None:
    path = tmp_path / "mbox"
    path.write_bytes(b"o" * 900)
    made = store(limit=1200)
    outcomes = deliver(turns, *(made.target(ME, str(path), output()) for _ in range(3)))
    assert [outcome.kind for outcome in outcomes] == [SENT, BOUNCED, BOUNCED]
    assert [outcome.code for outcome in outcomes] == ["2.0.0", "5.2.2", "5.2.2"]
    assert outcomes[1].text == f"delivery failed to mailbox {path}: error writing message: File too large"
    assert path.read_bytes().count(b"hello") == 1


@pytest.mark.parametrize("kind", ["dotlock", "fcntl"])
def test_somebody_else_has_the_lock(turns: Turns, tmp_path: Path, output: Callable[..., Output], kind: str) -> None:
    path = tmp_path / "mbox"
    path.write_bytes(b"")
    if kind == "dotlock":
        (tmp_path / "mbox.lock").write_text("")
        outcomes = deliver(turns, store().target(ME, str(path), output()))
        assert outcomes[0].text.endswith(f"unable to create lock file {path}.lock: File exists")
    else:
        child = os.fork()
        if not child:
            with path.open("r+") as holder:
                fcntl.lockf(holder, fcntl.LOCK_EX)
                (tmp_path / "ready").write_text("")
                while not (tmp_path / "over").exists():
                    pass
            os._exit(0)
        while not (tmp_path / "ready").exists():
            pass
        outcomes = deliver(turns, store().target(ME, str(path), output()))
        (tmp_path / "over").write_text("")
        os.waitpid(child, 0)
        assert "unable to lock for exclusive access" in outcomes[0].text
    assert outcomes[0].kind == DEFERRED and outcomes[0].code == "4.2.0"


def test_a_lock_that_is_given_up_in_time(turns: Turns, tmp_path: Path, output: Callable[..., Output]) -> None:
    lock = tmp_path / "mbox.lock"
    lock.write_text("")
    target = store(lock_attempts=5).target(ME, str(tmp_path / "mbox"), output())
    target.waiter = Waiter()
    batch = FileBatch(1.0)
    batch._enqueue(target)
    turns.turn()
    turns.turn()
    assert not target.waiter.done
    lock.unlink()
    turns.turn()
    assert target.waiter.done


def test_a_maildir_is_made_and_filled(turns: Turns, tmp_path: Path, output: Callable[..., Output]) -> None:
    folder = f"{tmp_path}/box/"
    outcomes = deliver(turns, *(MaildirTarget(ME, folder, output()) for _ in range(3)))
    assert [outcome.text for outcome in outcomes] == ["delivered to maildir"] * 3
    assert os.listdir(f"{folder}tmp") == [] and os.listdir(f"{folder}cur") == []
    names = os.listdir(f"{folder}new")
    assert len(names) == 3
    for name in names:
        path = Path(folder, "new", name)
        status = path.stat()
        assert f".V{status.st_dev:x}I{status.st_ino:x}M" in name
        assert status.st_mode & 0o777 == 0o600
        assert path.read_bytes().endswith(b"Delivered-To: a@x.example\n" + CONTENT)


def test_nothing_stays_of_a_maildir_delivery_that_failed(
    turns: Turns, tmp_path: Path, output: Callable[..., Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = f"{tmp_path}/box/"

    def fail(_fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    outcomes = deliver(turns, MaildirTarget(ME, folder, output(), limit=100))
    assert outcomes[0].code == "5.2.2" and outcomes[0].diag_type == "x-unix"
    monkeypatch.setattr(os, "fsync", fail)
    outcomes = deliver(turns, MaildirTarget(ME, folder, output()))
    assert (outcomes[0].kind, outcomes[0].code) == (DEFERRED, "4.3.0")
    assert os.listdir(f"{folder}tmp") == [] and os.listdir(f"{folder}new") == []


def test_a_null_sender_and_lines_that_begin_with_from(
    turns: Turns, tmp_path: Path, output: Callable[..., Output]
) -> None:
    deliver(turns, store().target(ME, str(tmp_path / "mbox"), output(b"From x\nFrom y\n", "")))
    text = (tmp_path / "mbox").read_bytes()
    assert text.startswith(b"From MAILER-DAEMON  ") and b"Return-Path: <>\n" in text
    assert text.endswith(b"\n>From x\n>From y\n\n")


def test_dotlocks(tmp_path: Path) -> None:
    path = str(tmp_path / "mbox")
    assert take_dotlock(path, 500)
    with pytest.raises(LockBusy):
        take_dotlock(path, 500)
    assert take_dotlock(path, -1)


def test_settings() -> None:
    assert parse_methods("virtual_mailbox_lock", ("fcntl", "dotlock")) == {"fcntl", "dotlock"}
    with pytest.raises(ConfigError):
        parse_methods("virtual_mailbox_lock", ("fcntl", "other"))
    check_size_limit("virtual_mailbox_limit", 0, 0)
    check_size_limit("virtual_mailbox_limit", 10, 10)
    with pytest.raises(ConfigError, match="is smaller than message_size_limit"):
        check_size_limit("virtual_mailbox_limit", 9, 10)
    with pytest.raises(ConfigError, match="is limited but message_size_limit is unlimited"):
        check_size_limit("virtual_mailbox_limit", 9, 0)
