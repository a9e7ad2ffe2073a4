"""The whole of master in processes of its own, with shell scripts for daemons."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyfix.runtime.masterlock import running_master

CHECKOUT = Path(__file__).resolve().parents[4]
MASTER = [
    sys.executable,
    "-ISXutf8",
    "-c",
    f"import sys; sys.path += [{str(CHECKOUT)!r}, {sysconfig.get_paths()['purelib']!r}]; "
    "from pyfix.daemons.master.daemon import main; sys.exit(main(sys.argv[1:]))",
]


class System:
    """A mail system whose daemons are scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spool = folder / "spool"
        for name in ("etc", "data", "programs", "spool/pid", "spool/private", "spool/public"):
            (folder / name).mkdir(parents=True)
        for name in ("data", "spool/private", "spool/public"):
            (folder / name).chmod(0o777)
        folder.chmod(0o755)
        self.started: list[subprocess.Popen[str]] = []
        self.write_main()
        self.write_master("probe unix n - n 60 1 probe")
        self.program("probe", "exec sleep 60")

    def write_main(self, **changes: object) -> None:
        main = {
            "queue_directory": self.spool,
            "data_directory": self.folder / "data",
            "daemon_directory": self.folder / "programs",
            "mail_owner": "nobody",
            "default_privs": "daemon",
            "setgid_group": "mail",
            "compatibility_level": "3.11",
            "syslog_facility": "local7",
            **changes,
        }
        (self.folder / "etc/main.cf").write_text("".join(f"{name} = {value}\n" for name, value in main.items()))

    def write_master(self, *lines: str) -> None:
        (self.folder / "etc/master.cf").write_text("\n".join(lines) + "\n")

    def program(self, name: str, commands: str) -> None:
        path = self.folder / "programs" / name
        path.write_text(f'#!/bin/sh\necho {name} "$@" $GENERATION >> {self.folder}/calls\n{commands}\n')
        path.chmod(0o755)

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def master(self, *options: str) -> subprocess.Popen[str]:
        environment = {"PATH": os.environ["PATH"], "SECRET": "x", "MAIL_CONFIG": "/nowhere"}
        process = subprocess.Popen(
            [*MASTER, "-c", str(self.folder / "etc"), *options],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def pid(self) -> int | None:
        return running_master(str(self.spool))

    def wait(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, self.calls()
            time.sleep(0.02)


@pytest.fixture
def system() -> Iterator[System]:
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to the mail_owner
    made = System(folder)
    yield made
    pid = made.pid()
    if pid:
        os.kill(pid, signal.SIGTERM)
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
    shutil.rmtree(folder, ignore_errors=True)


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


def test_reload(system: System) -> None:
    """SIGHUP renews the service at once; a malformed file is fatal."""
    process = system.master("-d")
    system.wait(system.calls)
    system.program("other", "exec sleep 60")
    system.write_master("probe unix n - n 60 5 probe", "other unix n - n 60 1 other")
    process.send_signal(signal.SIGHUP)
    system.wait(lambda: len(system.calls()) == 3)
    assert sorted(system.calls()[1:]) == ["other -l -t unix -d -u 3", "probe -t unix -d -u 2"]
    system.write_master("nonsense")
    process.send_signal(signal.SIGHUP)
    assert process.wait(20) == 1


def test_environment(system: System) -> None:
    """Only what import_environment names, and what daemons need, is handed on."""
    system.program("probe", f"env > {system.folder}/environment; exec sleep 60")
    system.master("-d")
    system.wait((system.folder / "environment").exists)
    system.wait(lambda: "GENERATION" in (system.folder / "environment").read_text())
    found = dict(line.split("=", 1) for line in (system.folder / "environment").read_text().splitlines())
    for name in ("PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"):  # the shell's own
        found.pop(name, None)
    assert found == {
        "MAIL_CONFIG": str(system.folder / "etc"),
        "MAIL_LOGTAG": "postfix",
        "LANG": "C",
        "GENERATION": "1",
    }


def test_failures_are_logged_and_throttled(system: System) -> None:
    system.program("probe", "exit 3")
    process = system.master("-d", "-e", "1")
    assert process.wait(20) == 0
    said = process.communicate()[1]
    program = system.folder / "programs/probe"
    assert f"master: warning: process {program} pid " in said
    assert f"master: warning: {program}: bad command startup -- throttling" in said
    assert len(system.calls()) == 1


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
