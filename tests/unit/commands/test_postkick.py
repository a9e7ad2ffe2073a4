from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pyfix.commands import postkick
from pyfix.runtime.log import log


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "main.cf").write_text(f"queue_directory = {tmp_path}\n")
    (tmp_path / "public").mkdir()
    monkeypatch.setenv("MAIL_CONFIG", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(log, "_stderr", False)
    return tmp_path


def test_request(spool: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(spool / "public/qmgr"))
        listener.listen()
        assert postkick.main(["public", "qmgr", "IW"]) == 0
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(10) == b"IW"


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert postkick.main(["public", "nosuch", "I"]) == 1
    assert capsys.readouterr().err == (
        "postkick: warning: unable to look up public/nosuch: No such file or directory\n"
        "postkick: warning: Cannot contact class public service nosuch - perhaps the mail system is down\n"
    )


def test_nobody_listens(spool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(spool / "public/qmgr"))
    assert postkick.main(["public", "qmgr", "I"]) == 1
    assert capsys.readouterr().err == (
        "postkick: warning: Cannot contact class public service qmgr - perhaps the mail system is down\n"
    )


@pytest.mark.parametrize("argv", [["-x"], ["public"], []])
def test_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert postkick.main(argv) == 1
    assert "postkick: fatal: usage: postkick [-c config_dir] [-v] class service request" in capsys.readouterr().err


def test_no_queue_and_no_endpoint(spool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert postkick.main(["public", "", "I"]) == 1
    assert "postkick: warning: public/ is not a socket or a fifo\n" in capsys.readouterr().err
    (spool / "main.cf").write_text("queue_directory = /nonexistent\n")
    assert postkick.main(["public", "qmgr", "I"]) == 1
    assert capsys.readouterr().err == "postkick: fatal: chdir /nonexistent: No such file or directory\n"
