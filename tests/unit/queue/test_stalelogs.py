"""Logs of other messages with the same queue id: all are removed, and hardly ever looked for."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pyfix.queue import stalelogs
from pyfix.queue.spool import Spool
from pyfix.queue.stalelogs import StaleLogs, remove_logs

LONG_AGO = 1_000_000_000
LOGS = ("defer", "bounce", "trace")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    for name in LOGS:
        (tmp_path / name).mkdir()
    spool = Spool(("deferred", "defer"), 1, str(tmp_path))
    spool.make_folders(spool.path("defer", "ABC"))
    settle(tmp_path)
    return spool


def settle(root: Path) -> None:
    """Let the folders have changed long ago."""
    for folder in ("defer/A", *LOGS):
        os.utime(root / folder, (LONG_AGO, LONG_AGO))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Gather the system calls."""
    made: list[str] = []

    def note(name: str) -> None:
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda path: made.append(name) or real(path))

    for name in ("unlink", "stat", "listdir"):
        note(name)
    return made


def test_logs_of_an_earlier_message_are_removed(spool: Spool) -> None:
    for name in ("defer", "trace"):
        Path(spool.path(name, "ABC")).touch()
    assert remove_logs(spool, "ABC") == ["defer", "trace"]
    assert remove_logs(spool, "ABC") == []


def test_folders_without_change_are_looked_at_once_for_many(spool: Spool, calls: list[str]) -> None:
    logs = StaleLogs(spool)
    assert not logs.remove("ABC", logs.looks)
    assert calls == ["stat", "listdir"] * 3
    calls.clear()
    made = logs.looks
    for number in range(10):
        assert not logs.remove(f"A{number}", made)
    assert calls == ["stat"] * 3
    assert not logs.remove("BCD", made)
    assert calls == ["stat"] * 4, "the folder of the hashed queue alone"


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("settled", [True, False])
def test_a_log_from_before_the_first_look(spool: Spool, name: str, settled: bool) -> None:
    Path(spool.path(name, "ABC")).touch()
    if settled:
        settle(Path(spool.root))
    logs = StaleLogs(spool)
    assert not logs.remove("ABD", logs.looks)
    assert list(logs.remove("ABC", logs.looks)) == [name]
    assert not os.path.exists(spool.path(name, "ABC"))
    assert not logs.remove("ABC", logs.looks)


@pytest.mark.parametrize("name", LOGS)
def test_a_log_from_after_a_look_at_settled_folders(spool: Spool, name: str) -> None:
    logs = StaleLogs(spool)
    assert not logs.remove("ABC", logs.looks)
    for _ in range(3):
        Path(spool.path(name, "ABC")).touch()
        assert list(logs.remove("ABC", logs.looks)) == [name]


def test_the_look_comes_after_the_file_was_made(spool: Spool) -> None:
    logs = StaleLogs(spool)
    first, second = logs.looks, logs.looks
    assert not logs.remove("ABC", first)
    third = logs.looks
    Path(spool.path("bounce", "ABD")).touch()
    assert not logs.remove("ABD", second), "what is there after a look belongs to the message"
    assert list(logs.remove("ABD", third)) == ["bounce"]


def test_a_folder_that_was_not_there(spool: Spool, calls: list[str]) -> None:
    logs = StaleLogs(spool)
    assert not logs.remove("FFF", logs.looks)
    assert "unlink" not in calls
    spool.make_folders(spool.path("defer", "FFF"))
    Path(spool.path("defer", "FFF")).touch()
    assert list(logs.remove("FFF", logs.looks)) == ["defer"]


def test_many_names_are_not_kept(spool: Spool, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalelogs, "_MOST_NAMES", 2)
    for number in range(3):
        Path(spool.path("trace", f"X{number}")).touch()
    settle(Path(spool.root))
    logs = StaleLogs(spool)
    Path(spool.path("trace", "ABC")).touch()
    settle(Path(spool.root))
    assert list(logs.remove("ABC", logs.looks)) == ["trace"]
    calls.clear()
    assert not logs.remove("ABD", logs.looks)
    assert calls.count("unlink") == 3


def test_a_clock_that_was_set_back(spool: Spool) -> None:
    future = time.time() + 1000
    for folder in LOGS:
        os.utime(spool.folder(folder), (future, future))
    logs = StaleLogs(spool)
    assert not logs.remove("ABC", logs.looks)
    Path(spool.path("bounce", "ABC")).touch()
    os.utime(spool.folder("bounce"), (future, future))
    assert list(logs.remove("ABC", logs.looks)) == ["bounce"]


def test_memory_is_bounded(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalelogs, "_MOST_FOLDERS", 2)
    logs = StaleLogs(spool)
    for _ in range(3):
        assert not logs.remove("ABC", logs.looks)
        assert len(logs._listed) <= 2
