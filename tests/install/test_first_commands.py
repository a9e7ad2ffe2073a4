"""What a new user does first: ``make run`` and ``make install``, here without their virtual environments."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyfix.install.accounts import Accounts
from pyfix.install.settings_file import with_parameters
from tests.kit import processes, requirements
from tests.kit.ports import ReservedPort
from tests.kit.programs import CHECKOUT, ProgramsMissing, everyones_interpreter

NOBODY = 65534


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


def identity(user: int) -> dict[str, Any]:
    """Arguments of subprocess for running as *user*; for another than ourselves root and an open interpreter."""
    if user == os.getuid():
        return {}
    requirements.need_root()
    try:
        if everyones_interpreter() != Path(sys.executable):
            requirements.missing(f"{sys.executable} can't be run by other users")
    except ProgramsMissing as reason:
        requirements.missing(reason)
    return {"user": user, "group": user, "extra_groups": []}


def start_trial(folder: Path, port: int, user: int) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "pyfix.install", "run", str(CHECKOUT), str(folder / "var"), str(port)]
    return subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"]},
        **identity(user),
    )


@pytest.mark.parametrize("user", sorted({os.getuid(), NOBODY}))
def test_make_run(folder: Path, port: int, user: int) -> None:
    """The first message arrives, Ctrl-C stops everything, and a second run finds the same instance."""
    os.chown(folder, user, -1) if os.getuid() == 0 else None
    for _ in range(2):
        trial = start_trial(folder, port, user)
        assert trial.stdout is not None
        lines: list[str] = []
        said = ""
        # The log's lines may come a moment after the message that they tell of.
        while not ("Stop: Ctrl-C" in said and "status=sent" in said):
            lines.append(trial.stdout.readline())
            assert lines[-1], said
            said = "".join(lines)
        assert "postfix/smtpd[" in said and "status=sent" in said
        arrived = re.search(r"arrived in\n\s+(\S+)\n", said)
        assert arrived, said
        mailbox = Path(arrived[1])
        assert b"Subject: The first message" in mailbox.read_bytes()
        assert mailbox.is_relative_to(folder / "var")
        assert mailbox.stat().st_uid == user
        trial.send_signal(signal.SIGINT)
        rest, _ = trial.communicate(timeout=30)
        assert rest.endswith("==> stopped\n") and trial.returncode == 0, rest
        assert not processes.pids_inside(folder)
        assert not re.search(r"warning|error|fatal|panic", said + rest), said + rest


def test_make_run_says_that_the_port_is_taken(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        trial = start_trial(folder, server.getsockname()[1], os.getuid())
        said, _ = trial.communicate(timeout=30)
    assert trial.returncode == 1
    assert "something already answers on 127.0.0.1" in said
    assert not (folder / "var").exists()


@pytest.fixture
def installed(folder: Path) -> Path:
    """A system as ``make install`` leaves it, with the packages of these tests as its own."""
    identity(NOBODY)
    if Accounts("postfix", "postdrop").ids() is None:
        requirements.missing("user postfix and group postdrop")
    prefix = folder / "opt"
    venv.create(prefix / "lib/pyfix", symlinks=True)
    packages = next(prefix.glob("lib/pyfix/lib/python3*/site-packages"))
    for package in (*Path(sysconfig.get_paths()["purelib"]).iterdir(), CHECKOUT / "pyfix"):
        (packages / package.name).symlink_to(package)
    argv = [str(prefix / "lib/pyfix/bin/python3"), "-m", "pyfix.install", "system", str(CHECKOUT), str(prefix)]
    done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert "warning" not in done.stderr, done.stderr
    main = prefix / "etc/postfix/main.cf"
    changes = {
        "inet_interfaces": "loopback-only",
        "mail_spool_directory": str(folder / "mail"),
        "maillog_file": str(folder / "log"),
        "maillog_file_prefixes": str(folder),
        "alias_maps": "",
        "mydestination": "localhost",
    }
    (folder / "mail").mkdir()
    (folder / "mail").chmod(0o1777)
    main.write_text(with_parameters(main.read_text(), changes))
    master = prefix / "etc/postfix/master.cf"
    master.write_text(re.sub(r"(?m)^smtp +inet.*\n", "", master.read_text()))
    return prefix


def test_make_install(folder: Path, installed: Path) -> None:
    """Users queue mail through the set-gid postdrop, nobody names a configuration, and stop leaves nothing."""

    def run(command: str, *arguments: str, user: int = 0, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(installed / "sbin" / command), *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            env={},
            cwd="/",
            user=user,
            group=user,
            extra_groups=[],
            check=False,
        )

    message = "Subject: from a user\n\nHello.\n"
    done = run("sendmail", "nobody@localhost", user=NOBODY, text=message)
    assert done.returncode == 0, done.stderr
    (queued,) = (installed / "var/spool/postfix/maildrop").iterdir()
    assert queued.stat().st_uid == NOBODY
    done = run("postfix", "start")
    assert done.returncode == 0 and "warning" not in done.stderr, done.stderr
    mailbox = folder / "mail/nobody"
    assert processes.wait_until(mailbox.exists, 20.0), (folder / "log").read_text()
    assert processes.wait_until(lambda: b"Subject: from a user" in mailbox.read_bytes(), 5.0)
    assert processes.wait_until(lambda: run("postqueue", "-p", user=NOBODY).stdout == "Mail queue is empty\n", 5.0)
    done = run("postfix", "stop")
    assert done.returncode == 0, done.stderr
    assert processes.wait_until(lambda: not processes.pids_inside(folder), 10.0)
    assert not re.search(r"warning|error:|fatal|panic", (folder / "log").read_text())
