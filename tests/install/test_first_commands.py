"""What a new user does first: ``make run`` in a fresh clone, at a terminal."""

from __future__ import annotations

import os
import pty
import pwd
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.install.machine import NOBODY, as_user, command, copy_checkout
from tests.kit import processes
from tests.kit.ports import ReservedPort
from tests.kit.programs import CHECKOUT, ProgramsMissing, everyones_interpreter
from tests.kit.requirements import missing

pytestmark = pytest.mark.timeout(300)
USERS = pytest.mark.parametrize(
    "user", sorted({os.getuid(), NOBODY}), ids=lambda user: "user" if user else "root"
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everyone may walk; what still runs there at the end is ended."""
    path = Path(tempfile.mkdtemp(prefix="pyfix-first-"))
    path.chmod(0o755)
    yield path
    processes.end(lambda: processes.pids_inside(path))
    shutil.rmtree(path)


@pytest.fixture
def port() -> Iterator[int]:
    reserved = ReservedPort()
    yield reserved.number
    reserved.release()


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, argv: list[str], environment: dict[str, str]) -> None:
        self.said = ""
        self._pid, self._terminal = pty.fork()
        if not self._pid:
            try:
                os.execvpe(argv[0], argv, environment)
            finally:
                os._exit(127)

    def read_until(self, *wanted: str, seconds: float = 200.0) -> None:
        """Read until all of *wanted* was said; fail when the command ends before, or is silent for too long."""
        end = time.monotonic() + seconds
        while not all(text in self.said for text in wanted):
            assert self._read(end - time.monotonic()), self.said

    def press_control_c(self) -> None:
        os.write(self._terminal, b"\x03")

    def wait(self, seconds: float = 30.0) -> None:
        """Read to the end."""
        end = time.monotonic() + seconds
        while self._read(end - time.monotonic()):
            continue
        os.waitpid(self._pid, 0)
        os.close(self._terminal)

    def _read(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._terminal, select.POLLIN)
        assert poll.poll(max(seconds, 0) * 1000), self.said
        try:
            data = os.read(self._terminal, 65536)
        except OSError:  # nobody has the other side any more
            return False
        self.said += data.decode().replace("\r\n", "\n")
        return bool(data)


@USERS
def test_make_run(folder: Path, port: int, user: int) -> None:
    """The first message arrives, Ctrl-C stops everything, and a second run finds the same instance.

    Only the clone is written to; without root nobody becomes somebody else.
    """
    if os.getuid() == 0:
        os.chown(folder, user, -1)
    copy_checkout(folder / "clone", user)
    name = pwd.getpwuid(user).pw_name
    before = {path.name for path in (folder / "clone").iterdir()}
    for run in range(2):
        make = Terminal(*command(folder, user, folder / "clone", "run", f"PORT={port}"))
        # The log's lines may come a moment after the message that they tell of.
        make.read_until("Stop: Ctrl-C", "status=sent", ": removed\n")
        assert "postfix/smtpd[" in make.said and f"SMTP is on 127.0.0.1:{port}." in make.said
        arrived = re.search(rf"The first message, to {name}@localhost, arrived in\n\s+(\S+)\n", make.said)
        assert arrived, make.said
        mailbox = Path(arrived[1])
        assert mailbox.read_bytes().count(b"Subject: The first message") == run + 1
        assert mailbox == folder / "clone/var/mail" / name
        assert mailbox.stat().st_uid == user
        users = {os.stat(f"/proc/{pid}").st_uid for pid in processes.pids_inside(folder / "clone/var")}
        assert (users == {user}) if user else (0 in users and len(users) == 2)
        make.press_control_c()
        make.wait()
        assert "==> stopping\n" in make.said and make.said.rstrip().endswith("==> stopped"), make.said
        assert not processes.pids_inside(folder)
        assert not re.search(r"warning|error|fatal|panic", without_pip(make.said)), make.said
    made = {path.name for path in (folder / "clone").iterdir()} - before
    assert made == {".venv", "var", "pyfix.egg-info"}


def without_pip(text: str) -> str:
    """Leave out what pip says about the places where it looks for packages."""
    return re.sub(r"(?m)^WARNING: .*\n", "", text)


def start_trial(folder: Path, port: int, user: int) -> subprocess.CompletedProcess[str]:
    """Run what ``make run`` does once pyfix is in its virtual environment, here that of the tests."""
    try:
        if user != os.getuid() and everyones_interpreter() != Path(sys.executable):
            missing(f"{sys.executable} can't be run by other users")
    except ProgramsMissing as reason:
        missing(reason)
    argv = [*as_user(user), sys.executable, "-m", "pyfix.install", "run", str(CHECKOUT), str(folder / "var"), str(port)]
    return subprocess.run(
        argv, capture_output=True, text=True, cwd=CHECKOUT, env={"PATH": os.environ["PATH"]}, timeout=30, check=False
    )


def test_a_port_that_is_taken(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        trial = start_trial(folder, server.getsockname()[1], os.getuid())
    assert trial.returncode == 1
    assert "something already answers on 127.0.0.1" in trial.stderr
    assert not (folder / "var").exists()


def test_a_port_that_needs_root(folder: Path) -> None:
    trial = start_trial(folder, 1, os.getuid() or NOBODY)
    assert trial.returncode == 1
    assert trial.stderr == "==> port 1 needs root; choose one from 1024 up\n"
    assert not (folder / "var").exists()
