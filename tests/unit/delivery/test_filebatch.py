from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pyfix.delivery.filebatch import FileBatch, FileTarget
from pyfix.delivery.locks import LockBusy
from pyfix.delivery.outcome import BOUNCED, SENT, Bounced, Deferred, Outcome, Sent
from pyfix.delivery.output import FileProblem, Output
from pyfix.runtime.task import Waiter
from tests.unit.delivery.filing import ME, Turns, deliver, store


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
    turns.turn()
    assert target.waiter.done


def enqueue(batch: FileBatch, target: Target) -> None:
    target.waiter = Waiter()
    batch._enqueue(target)


class Target(FileTarget):
    """Writes to a file what it is told, and notes in which order things happen."""

    def __init__(self, path: Path, events: list[str], problem: Exception | None = None, attempts: int = 1) -> None:
        self.owner = ME
        self.attempts = attempts
        self._path = path
        self._events = events
        self._problem = problem

    def write(self) -> int:
        self._events.append(f"write {self._path.name}")
        if self._problem is not None:
            raise self._problem
        self.fd = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        return self.fd

    def sync_failed(self, error: OSError) -> Outcome:
        os.close(self.fd)
        return Bounced("5.3.0", f"no sync: {error.strerror}")

    def publish(self) -> Outcome:
        self._events.append(f"publish {self._path.name}")
        os.close(self.fd)
        return Sent("there")

    def locked_out(self, busy: LockBusy) -> Outcome:
        return Deferred("4.2.0", busy.text)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens, syncs included."""
    found: list[str] = []

    def sync(fds: Sequence[int]) -> list[OSError | None]:
        found.extend(f"sync {os.path.basename(os.readlink(f'/proc/self/fd/{fd}'))}" for fd in fds)
        return [None] * len(fds)

    monkeypatch.setattr("pyfix.delivery.filebatch.sync_files", sync)
    return found


def test_all_are_synced_before_any_is_published(turns: Turns, tmp_path: Path, events: list[str]) -> None:
    outcomes = deliver(turns, *(Target(tmp_path / name, events) for name in "abc"))
    assert [outcome.kind for outcome in outcomes] == [SENT] * 3
    assert events == [
        "write a", "write b", "write c", "sync a", "sync b", "sync c", "publish a", "publish b", "publish c",
    ]  # fmt: skip


def test_one_that_comes_a_moment_later_is_synced_with_the_first(
    turns: Turns, tmp_path: Path, events: list[str]
) -> None:
    batch = FileBatch(1.0)
    enqueue(batch, Target(tmp_path / "a", events))
    turns.turn()
    assert events == [] and batch.deadline == pytest.approx(0.004)
    enqueue(batch, Target(tmp_path / "b", events))
    enqueue(batch, Target(tmp_path / "c", events))
    assert not turns.expiring
    turns.turn()
    assert events == ["write a", "write b", "write c", "sync a", "sync b", "sync c", "publish a", "publish b", "publish c"]
    turns.turn()
    assert events[9:] == []


def test_after_a_vain_wait_some_go_alone(turns: Turns, tmp_path: Path, events: list[str]) -> None:
    """A destination that may have one delivery at a time does not wait for another each time."""
    batch = FileBatch(1.0)
    waits = []
    for number in range(24):
        enqueue(batch, Target(tmp_path / f"{number}", events))
        turns.turn()
        waits.append(len(turns.expiring))
        turns.turn()
        assert events[-1] == f"publish {number}"
    assert waits == [1, *10 * [0], 1, *10 * [0], 1, 0]


def test_what_comes_after_a_vain_wait_finds_company(turns: Turns, tmp_path: Path, events: list[str]) -> None:
    batch = FileBatch(1.0)
    enqueue(batch, Target(tmp_path / "a", events))
    turns.turn()
    turns.turn()
    enqueue(batch, Target(tmp_path / "b", events))
    turns.turn()
    enqueue(batch, Target(tmp_path / "c", events))
    turns.turn()
    turns.turn()
    assert events[3:] == ["write b", "write c", "sync b", "sync c", "publish b", "publish c"]


def test_one_failure_is_not_the_others(turns: Turns, tmp_path: Path, events: list[str]) -> None:
    problems = [None, FileProblem(Bounced("5.2.2", "full")), OSError(errno.EIO, "Input/output error"), LockBusy("busy", OSError())]
    outcomes = deliver(turns, *(Target(tmp_path / name, events, one) for name, one in zip("abcd", problems, strict=True)))
    assert [(outcome.code, outcome.text) for outcome in outcomes] == [
        ("2.0.0", "there"), ("5.2.2", "full"), ("4.3.0", "cannot deliver: Input/output error"), ("4.2.0", "busy"),
    ]  # fmt: skip


def test_a_file_that_cannot_be_synced(
    turns: Turns, tmp_path: Path, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(fds: Sequence[int]) -> list[OSError | None]:
        return [OSError(errno.ENOSPC, "No space left on device") for _ in fds]

    monkeypatch.setattr("pyfix.delivery.filebatch.sync_files", fail)
    (outcome,) = deliver(turns, Target(tmp_path / "a", events))
    assert (outcome.kind, outcome.text) == (BOUNCED, "no sync: No space left on device")
    assert "publish a" not in events


def test_a_bug_lets_nobody_wait_for_ever(turns: Turns, tmp_path: Path, events: list[str]) -> None:
    batch = FileBatch(1.0)
    targets = [Target(tmp_path / "a", events), Target(tmp_path / "b", events, ZeroDivisionError())]
    for target in targets:
        target.waiter = Waiter()
        batch._enqueue(target)
    with pytest.raises(ZeroDivisionError):
        turns.turn()
    assert [target.waiter._value for target in targets] == [Deferred("4.3.0", "internal software error")] * 2


def test_a_lock_is_tried_for_as_often_as_was_said(turns: Turns, tmp_path: Path, events: list[str]) -> None:
    (outcome,) = deliver(turns, Target(tmp_path / "a", events, LockBusy("busy", OSError()), attempts=3))
    assert outcome.text == "busy"
    assert events == ["write a"] * 3
