"""make run, with a script in the place of the mail system; the real thing is tried in tests/install."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from pyfix.install import trial
from tests.unit.commands.running import Done, call


@pytest.fixture
def port() -> Iterator[int]:
    """A port where nobody answers."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let a script be the mail system; return its path."""
    (tmp_path / "mail").mkdir()
    found = SimpleNamespace(command_directory=tmp_path, config_directory=tmp_path / "etc", mail_spool_directory=tmp_path / "mail")
    monkeypatch.setattr(trial, "lay_out_private", lambda *_arguments: found)
    return tmp_path / "postfix"


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def run(port: int) -> Done:
    return call(lambda _argv: trial.run_in_foreground(Path("/source"), Path("/folder"), port))


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run(port)
    text = f"==> something already answers on 127.0.0.1:{port}; stop it, or: make run PORT=another"
    assert (done.status, done.err) == (1, [text])


@pytest.mark.parametrize("error", [LookupError("no such user"), ValueError("a blank in the path")])
def test_an_instance_that_cannot_be(port: int, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(trial, "lay_out_private", fail)
    assert run(port).err == [f"==> {error}"]


def test_a_mail_system_that_ends_by_itself(port: int, instance: Path) -> None:
    script(instance, "exit 3")
    done = run(port)
    assert (done.status, done.err) == (1, ["==> the mail system ended with status 3"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping(port: int, instance: Path, number: int) -> None:
    """The mail system is told to end, and waited for."""
    script(instance, f"echo $@ > {instance}.called; trap 'echo ended > {instance}.ended; exit 0' TERM; kill -{number} $PPID; while :; do sleep 0.05; done")
    done = run(port)
    assert (done.status, done.lines) == (0, ["==> stopping", "==> stopped"])
    assert Path(f"{instance}.ended").exists()
    assert Path(f"{instance}.called").read_text() == f"-c {instance.parent}/etc start-fg\n"


def test_a_mail_system_that_does_not_end(port: int, instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_STOP", 0.1)
    script(instance, "trap '' TERM; kill -TERM $PPID; while :; do sleep 0.05; done")
    done = run(port)
    assert (done.status, done.err) == (1, ["==> the mail system did not stop and was killed"])


SMTP = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
client, _ = server.accept()
file = client.makefile("rwb", 0)
file.write(b"220 x\\r\\n")
content = None
while line := file.readline():
    if content is not None:
        if line == b".\\r\\n":
            open(sys.argv[2], "wb").write(b"".join(content))
            content = None
            file.write(b"250 ok\\r\\n")
        else:
            content.append(line)
    elif line[:4].upper() == b"DATA":
        content = []
        file.write(b"354 go\\r\\n")
    else:
        file.write(b"221 bye\\r\\n" if line[:4].upper() == b"QUIT" else b"250 ok\\r\\n")
"""


@pytest.mark.parametrize("arrives", [True, False])
def test_the_first_message(instance: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arrives: bool) -> None:
    monkeypatch.setattr(trial, "_ARRIVAL", 10.0 if arrives else 0.0)
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    mailbox = instance.parent / ("mail/box" if arrives else "elsewhere")
    server = subprocess.Popen([sys.executable, "-c", SMTP, str(port), str(mailbox)])
    try:
        trial._show(trial.lay_out_private(Path(), Path(), port), port, server, threading.Event())  # type: ignore[arg-type]  # a fake with what it needs
    finally:
        server.kill()
        server.wait()
    said = capsys.readouterr().out
    text = mailbox.read_text()
    assert "Subject: The first message" in text and f"To: {trial.caller()}@localhost" in text
    if arrives:
        assert f"SMTP is on 127.0.0.1:{port}" in said and str(mailbox) in said
    else:
        assert said == f"==> the first message has not arrived; see {instance.parent}/postqueue -p\n"
