"""postfix(1), with shell scripts in the place of other programs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyfix.commands import postfix
from pyfix.runtime.log import log
from pyfix.runtime.masterlock import MasterLock

ROOT = os.getuid() == 0


class System:
    """A mail system whose programs do nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etc, self.spool, self.data = folder / "etc", folder / "spool", folder / "data"
        self.programs = folder / "programs"
        for path in (self.etc, self.spool, self.programs):
            path.mkdir()
        self.main = {
            "queue_directory": self.spool,
            "data_directory": self.data,
            "daemon_directory": self.programs,
            "command_directory": self.programs,
            "shlib_directory": "no",
            "meta_directory": self.etc,
            "mail_owner": "nobody",
            "setgid_group": "mail",
            "default_privs": "daemon",
            "myhostname": "mail.ours.example",
            "compatibility_level": "3.11",
            "syslog_facility": "local7",
        }
        (self.programs / "master").touch()
        (self.programs / "postconf").write_text("#!/bin/sh\n")
        (self.programs / "postconf").chmod(0o755)
        (self.etc / "master.cf").write_text("pickup unix n - n 60 1 pickup\n")
        self.write()

    def write(self, **changes: object) -> None:
        self.main |= changes
        (self.etc / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in self.main.items()))

    def program(self, name: str, commands: str = "") -> None:
        """Make a script that notes how it was called."""
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho {name} "$@" >> {self.folder}/called\n{commands}\n')
        path.chmod(0o755)

    def called(self) -> list[str]:
        path = self.folder / "called"
        return [line.strip() for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    made = System(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAIL_CONFIG", str(made.etc))
    monkeypatch.delenv("MAIL_VERBOSE", raising=False)
    monkeypatch.delenv("MAIL_DEBUG", raising=False)
    umask, tag = os.umask(0o022), log.tag
    yield made
    os.umask(umask)
    log.close()
    log.tag = tag
    log.to_stderr(False)
    log.fall_back_to("")
    os.environ.pop("MAIL_VERBOSE", None)
    os.environ.pop("MAIL_DEBUG", None)


@pytest.fixture
def run(system: System, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, list[str]]]:
    def call(*argv: str) -> tuple[int, list[str]]:
        status = postfix.main(argv)
        return status, capfd.readouterr().err.splitlines()

    return call


Run = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def running(system: System) -> Iterator[Callable[..., int]]:
    """Start a process that holds the lock, as master does."""
    pids = []

    def start(reaction: int = signal.SIG_DFL) -> int:
        (system.spool / "pid").mkdir(exist_ok=True)
        ready, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            MasterLock(str(system.spool / "pid/master.pid")).write_pid(os.getpid())
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL if reaction == signal.SIG_DFL else signal.SIG_IGN)
            os.write(tell, b"x")
            signal.alarm(30)
            while True:
                signal.pause()
        os.read(ready, 1)
        pids.append(pid)
        return pid

    yield start
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def ended_by(pid: int) -> int:
    return -os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def executed(act: Callable[[], object]) -> int:
    """Run what becomes another program in a child; return the exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
