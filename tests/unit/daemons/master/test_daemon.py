"""master(8) as a process: its options, its lock, its end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.unit.daemons.master.systems import System


def test_background(system: System) -> None:
    """-w returns when all is ready; the lock tells everybody that master runs; SIGTERM ends it with its processes."""
    process = system.master("-w")
    assert process.wait(20) == 0
    pid = system.pid()
    assert pid
    assert (system.folder / "data/master.lock").read_text() == f"{pid:>32}\n"
    assert system.master("-t").wait(20) == 1
    again = system.master("-w")
    assert again.wait(20) == 1
    assert "unable to set exclusive lock: Resource temporarily unavailable" in again.communicate()[1]
    system.wait(system.calls)
    assert system.calls() == ["probe -l -t unix -u 1"]
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert Path(f"/proc/{children[0]}/comm").read_text() == "sleep\n"
    os.kill(pid, signal.SIGTERM)
    system.wait(lambda: system.pid() is None)
    system.wait(lambda: not any(Path(f"/proc/{child}").exists() for child in children))
    assert system.master("-t").wait(20) == 0


def test_foreground(system: System) -> None:
    """-d stays with the terminal, and shows there what it logs."""
    system.program("probe", "exec sleep 60 2>/dev/null")  # it outlives master, and must not hold its terminal
    process = system.master("-d", "-v", "-e", "1")
    assert process.wait(20) == 0
    lines = process.communicate()[1].splitlines()
    assert any(line.startswith("master: daemon started -- version ") for line in lines)
    assert lines[-1] == "master: master exit time has arrived"
    assert system.calls() == ["probe -l -t unix -d -v -u 1"]


def test_interrupt(system: System) -> None:
    """Ctrl-C ends master by that signal."""
    process = system.master("-d")
    system.wait(system.calls)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == -signal.SIGINT
    assert "terminating on signal 2" in process.communicate()[1]


def test_debugger(system: System) -> None:
    system.write_main(debugger_command=f"echo $process_name > {system.folder}/debugged")
    system.master("-d", "-D")
    system.wait((system.folder / "debugged").exists)
    system.wait((system.folder / "debugged").read_text)
    assert (system.folder / "debugged").read_text() == "master\n"


@pytest.mark.parametrize(
    ("changes", "lines", "text"),
    [
        ({"queue_directory": "/nowhere"}, [], "chdir /nowhere: No such file or directory"),
        ({"data_directory": "/nowhere"}, [], "open lock file /nowhere/master.lock: cannot create file exclusively: "),
        ({"default_process_limit": "0"}, [], "invalid default_process_limit parameter value 0 < 1"),
        ({}, ["x inet y - n - - smtpd"], "line 1: inet service cannot be private"),
        ({}, ["127.0.0.1:x inet n - n - - smtpd"], "127.0.0.1:x: Servname not supported for ai_socktype"),
    ],
)
def test_fatal_errors(system: System, changes: dict[str, str], lines: list[str], text: str) -> None:
    """They are shown to whoever waits, and the exit status is 1."""
    system.write_main(**changes)
    if lines:
        system.write_master(*lines)
    process = system.master("-w")
    assert process.wait(20) == 1
    assert text in process.communicate()[1]


def test_usage(system: System) -> None:
    process = system.master("-x")
    assert process.wait(20) == 1
    assert "master: fatal: usage: master [-c config_dir]" in process.communicate()[1]
