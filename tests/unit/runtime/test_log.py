from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyfix.runtime import log as module
from pyfix.runtime.log import Log, printable


class Receiver:
    """postlogd's socket, and the turn's end at which the log sends."""

    def __init__(self, path: Path) -> None:
        self.path = str(path / "postlog")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(self.path)
        self.calls: list[Callable[[], None]] = []

    def datagrams(self) -> list[list[str]]:
        calls, self.calls = self.calls, []
        for call in calls:
            call()
        found = []
        while True:
            try:
                found.append(self.socket.recv(8192).decode("utf-8", "surrogateescape").split("\n"))
            except BlockingIOError:
                return found


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    made = Receiver(tmp_path)
    yield made
    made.socket.close()


@pytest.fixture
def log(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setattr(module, "time", lambda: 1_000_000_000.5)
    made = Log("postfix/test")
    made.gather_with(lambda call: receiver.calls.append(call))
    made.to_postlogd(receiver.path, "host.example")
    yield made
    made.close()


def texts(lines: list[str]) -> list[str]:
    return [line.partition("]: ")[2] for line in lines]


def test_lines_of_a_turn_leave_in_one_datagram(log: Log, receiver: Receiver) -> None:
    log.info("one")
    log.warning("two")
    log.info("three")
    [lines] = receiver.datagrams()
    assert texts(lines) == ["one", "warning: two", "three"]
    assert {line.partition("]: ")[0][15:] for line in lines} == {f" host postfix/test[{os.getpid()}"}
    log.info("next turn")
    assert [texts(found) for found in receiver.datagrams()] == [["next turn"]]


def test_what_no_log_can_show_is_replaced_in_every_line(log: Log, receiver: Receiver) -> None:
    for text in ("a\tb", "a\nb", "a\udcffb", "a\x85b"):
        log.info("plain")
        log.info(text)
        assert [texts(found) for found in receiver.datagrams()] == [["plain", "a?b"]]
    log.info("\N{LATIN SMALL LETTER E WITH ACUTE}")
    assert [texts(found) for found in receiver.datagrams()] == [["\N{LATIN SMALL LETTER E WITH ACUTE}"]]


def test_long_lines_are_cut_and_many_lines_are_spread(log: Log, receiver: Receiver) -> None:
    log.info("first")
    log.info("x" * 3000)
    [lines] = receiver.datagrams()
    assert [len(text) for text in texts(lines)] == [5, 2000]
    for number in range(200):
        log.info(f"{number} \N{EURO SIGN}" + "y" * 50)
    found = receiver.datagrams()
    assert len(found) > 1 and all(len("\n".join(lines).encode()) <= 4000 for lines in found)
    assert [int(text.split()[0]) for lines in found for text in texts(lines)] == list(range(200))


def test_a_long_line_is_whole_on_standard_error(log: Log, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    log.to_stderr()
    log.warning("x" * 3000)
    [lines] = receiver.datagrams()
    assert texts(lines) == ["warning: " + "x" * 2000]
    assert capsys.readouterr().err == "test: warning: " + "x" * 3000 + "\n"


def test_the_time_stamp_follows_the_clock(log: Log, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    log.info("one")
    monkeypatch.setattr(module, "time", lambda: 1_000_000_001.0)
    log.info("two")
    log.info("three")
    [lines] = receiver.datagrams()
    stamps = [line[:15] for line in lines]
    assert stamps[0] != stamps[1] == stamps[2]


def test_a_new_target_a_new_tag(log: Log, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    log.info("one")
    log.tag = "postfix/other"
    log.to_postlogd(receiver.path, "second")
    log.info("two")
    [lines] = receiver.datagrams()
    assert " host postfix/test[" in lines[0] and " second postfix/other[" in lines[1]
    log.to_stderr()
    log.info("three")
    assert capsys.readouterr().err == "other: three\n"
    assert [texts(found) for found in receiver.datagrams()] == [["three"]]


def test_without_a_loop_each_line_leaves_at_once(log: Log, receiver: Receiver) -> None:
    log.info("gathered")
    log.finish()
    log.info("at once")
    assert [texts(found) for found in receiver.datagrams()] == [["gathered"], ["at once"]]


def test_after_fork() -> None:
    made = Log("postfix/master")
    made._waiting.append(b"the parent's line")
    made._pid = 1
    made.after_fork()
    assert not made._waiting
    assert made.fileno() == -1
    assert made._pid == 0


def test_printable() -> None:
    assert printable("a\tb\x01\udcffé") == "a?b??é"


def test_lines_that_are_kept_apart(log: Log, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    log.info("zero")
    lines: list[str] = []
    assert log.keep_apart(lines) is None
    log.info("half")
    log.to_stderr()
    inner: list[str] = []
    assert log.keep_apart(inner) is lines
    log.warning("one")
    assert log.keep_apart(lines) is inner
    log.info("two")
    assert log.keep_apart(None) is lines
    assert (inner, lines) == (["warning: one"], ["half", "two"])
    assert capsys.readouterr().err == ""
    log.info("three")
    assert "three" in capsys.readouterr().err
    assert [texts(one) for one in receiver.datagrams()] == [["zero", "three"]]
