from __future__ import annotations

import io
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.commands import postlog
from pyfix.runtime.log import log


@pytest.fixture
def logger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What postlogd(8) listens on."""
    (tmp_path / "main.cf").write_text(
        f"queue_directory = {tmp_path}\nmaillog_file = {tmp_path}/maillog\nmyhostname = mail.ours.example\n"
    )
    (tmp_path / "public").mkdir()
    monkeypatch.setenv("MAIL_CONFIG", str(tmp_path))
    monkeypatch.delenv("POSTLOG_HOSTNAME", raising=False)
    monkeypatch.setattr(postlog.time, "sleep", lambda _seconds: None)
    tag = log.tag
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "public/postlog"))
        server.setblocking(False)
        yield server
    log.close()
    log.tag = tag
    log.fall_back_to("")


def line(logger: socket.socket) -> str:
    """Return what was logged, without time and process id."""
    words = logger.recv(1000).decode()[len("Jan 01 00:00:00 ") :]
    host, _, rest = words.partition(" ")
    assert host == "mail"
    tag, _, rest = rest.partition("[")
    return tag + rest.partition("]")[2]


@pytest.mark.parametrize(
    ("argv", "logged", "shown"),
    [
        (["hello", "world"], "postfix/postlog: hello world", "postfix/postlog: hello world"),
        (["-p", "warn", "x"], "postfix/postlog: warning: x", "postfix/postlog: warning: x"),
        (["-p", "fatal", "-t", "a/b", "x"], "a/b: fatal: x", "postfix/postlog: fatal: x"),
        (["-p", "panic", "x"], "postfix/postlog: panic: x", "postfix/postlog: panic: x"),
        (["-i", "-v", "a\tb"], "postfix/postlog: a?b", "postfix/postlog: a?b"),
    ],
)
def test_words(
    logger: socket.socket, capsys: pytest.CaptureFixture[str], argv: list[str], logged: str, shown: str
) -> None:
    assert postlog.main(argv) == 0
    assert line(logger) == logged
    assert capsys.readouterr().err == shown + "\n"


def test_standard_input(
    logger: socket.socket, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n\nlast")))
    assert postlog.main(["-t", "t"]) == 0
    assert [line(logger) for _ in range(4)] == ["t: one", "t: two", "t: ", "t: last"]


def test_no_logger(logger: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "public/postlog").unlink()
    assert postlog.main(["x"]) == 0
    assert (tmp_path / "maillog").read_text().endswith(": x\n")
    assert (tmp_path / "maillog").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["-x"], "usage: postlog [-c config_dir] [-i] [-p priority] [-t tag] [-v] [text]"),
        (["-p", "bad", "x"], 'bad severity: "bad"'),
        (["-c", "/nowhere", "x"], "open /nowhere/main.cf: No such file or directory"),
    ],
)
def test_complaints(logger: socket.socket, capsys: pytest.CaptureFixture[str], argv: list[str], text: str) -> None:
    assert postlog.main(argv) == 1
    assert capsys.readouterr().err.endswith(f"postfix/postlog: fatal: {text}\n")
