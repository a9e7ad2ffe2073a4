"""Forking: each test looks at a real child."""

from __future__ import annotations

import json
import os
import signal
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pyfix.daemons.master import spawn as spawning
from pyfix.daemons.master.loop import MasterLoop
from pyfix.daemons.master.spawn import Plan, spawn
from pyfix.daemons.master.title import TitleArea


class NoTitle(TitleArea):
    """Leaves the name of the test run alone."""

    def __init__(self) -> None:
        pass

    def show(self, argv: object) -> None:
        pass


Run = Callable[..., int]


@pytest.fixture
def run(loop: MasterLoop) -> Run:
    """Return a function that starts a process and returns how it ended."""

    def start(plan: Plan, title: TitleArea | None = None) -> int:
        pid = spawn(plan, loop, title or NoTitle())
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    return start


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Callable[..., Plan]]:
    with ExitStack() as descriptors:

        def make(program: str = "/nonexistent", argv: list[str] | None = None, module: str | None = None) -> Plan:
            flow, status, listener = os.pipe(), os.open(os.devnull, os.O_WRONLY), os.open(tmp_path, 0)
            for fd in (*flow, status, listener):
                descriptors.callback(os.close, fd)
            return Plan(program, argv or ["x"], module, flow, status, [listener], 9)

        yield make


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[list[str]], int]], str]:
    """Make a module whose main is the given function."""

    def make(main: Callable[[list[str]], int]) -> str:
        module = types.ModuleType("pyfix_test_daemon")
        module.main = main  # type: ignore[attr-defined]  # a module that is made here
        monkeypatch.setitem(sys.modules, "pyfix_test_daemon", module)
        return "pyfix_test_daemon"

    return make


def test_forked_daemon(run: Run, plan: Callable[..., Plan], daemon: Callable[..., str], tmp_path: Path) -> None:
    """Descriptors, arguments, environment and signals are as for a program of its own."""
    extra = os.open(os.devnull, os.O_RDONLY)
    found = tmp_path / "found"

    def main(argv: list[str]) -> int:
        report = {
            "argv": argv,
            "program": sys.argv[0],
            "generation": os.environ["GENERATION"],
            "descriptors": [fd for fd in range(3, 100) if Path(f"/proc/self/fd/{fd}").exists()],
            "listener": os.readlink("/proc/self/fd/6"),
            "inheritable": [fd for fd in range(3, 7) if os.get_inheritable(fd)],
            "term": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
        }
        found.write_text(json.dumps(report))
        return 7

    assert run(plan(argv=["x", "-t", "unix"], module=daemon(main))) == 7
    os.close(extra)
    report = json.loads(found.read_text())
    assert report == {
        "argv": ["-t", "unix"],
        "program": "x",
        "generation": "11",
        "descriptors": [3, 4, 5, 6],
        "listener": str(tmp_path),
        "inheritable": [],
        "term": True,
    }


@pytest.mark.parametrize(("code", "status"), [(0, 0), (3, 3), (None, 0), ("text", 1)])
def test_leaving(run: Run, plan: Callable[..., Plan], daemon: Callable[..., str], code: object, status: int) -> None:
    def main(_argv: list[str]) -> int:
        sys.exit(code)  # type: ignore[arg-type]  # of any kind, as sys.exit takes it

    assert run(plan(module=daemon(main))) == status


def test_a_bug_does_not_come_back(run: Run, plan: Callable[..., Plan], daemon: Callable[..., str]) -> None:
    def main(_argv: list[str]) -> int:
        raise ZeroDivisionError

    assert run(plan(module=daemon(main))) == 1


def test_program(run: Run, plan: Callable[..., Plan], tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(
        f'#!/bin/sh\necho "$@" $GENERATION > {tmp_path}/said; ls /proc/self/fd >> {tmp_path}/said; exit 4\n'
    )
    program.chmod(0o755)
    assert run(plan(str(program), ["program", "-l"])) == 4
    said = (tmp_path / "said").read_text().split()
    assert said[:2] == ["-l", "11"]
    assert {"3", "4", "5", "6"} <= set(said[2:])


def test_no_such_program(run: Run, plan: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawning, "_FATAL_PAUSE", 0)
    assert run(plan("/nonexistent/program")) == 1


def test_no_signal_is_lost_at_the_start(loop: MasterLoop, plan: Callable[..., Plan], daemon: Callable[..., str]) -> None:
    """A process that is told to end before it has done anything does end."""

    def main(_argv: list[str]) -> int:
        signal.pause()
        return 0

    for _ in range(20):
        pid = spawn(plan(module=daemon(main)), loop, NoTitle())
        os.kill(pid, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_no_fork(loop: MasterLoop, plan: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fail)
    with pytest.raises(BlockingIOError):
        spawn(plan(), loop, NoTitle())
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_title(run: Run, plan: Callable[..., Plan], daemon: Callable[..., str], tmp_path: Path) -> None:
    def main(_argv: list[str]) -> int:
        (tmp_path / "cmdline").write_bytes(Path("/proc/self/cmdline").read_bytes())
        (tmp_path / "comm").write_bytes(Path("/proc/self/comm").read_bytes())
        return 0

    run(plan(argv=["qm", "-l"], module=daemon(main)), TitleArea())
    assert (tmp_path / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")[:2] == [b"qm", b"-l"]
    assert (tmp_path / "comm").read_text() == "qm\n"
