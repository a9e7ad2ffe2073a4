"""Where lines go while no postlogd(8) takes them, and to whom a parent's choice of a logger reaches."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.runtime.log import log
from pyfix.runtime.logtarget import configure_log


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    (tmp_path / "public").mkdir()
    return Snapshot(
        {"queue_directory": str(tmp_path), "maillog_file": f"{tmp_path}/maillog", "myhostname": "mail.ours.example"}
    )


@pytest.fixture(autouse=True)
def quiet() -> object:
    tag = log.tag
    yield
    log.close()
    log.tag = tag
    log.fall_back_to("")
    log._address = ""


def test_the_file_itself(snapshot: Snapshot, tmp_path: Path) -> None:
    configure_log(snapshot, "postlog", to_file=True)
    log.warning("one")
    log.info("two")
    lines = (tmp_path / "maillog").read_text().splitlines()
    assert [line.partition(" mail ")[2] for line in lines] == [
        f"postfix/postlog[{os.getpid()}]: warning: one",
        f"postfix/postlog[{os.getpid()}]: two",
    ]


def test_only_when_asked(snapshot: Snapshot, tmp_path: Path) -> None:
    configure_log(snapshot, "smtpd")
    log.info("lost")
    assert not (tmp_path / "maillog").exists()


def test_the_logger_is_back(snapshot: Snapshot, tmp_path: Path) -> None:
    configure_log(snapshot, "postlog", to_file=True)
    log.info("one")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "public/postlog"))
        log.info("two")
        assert server.recv(1000).endswith(b": two")
    log.info("three")
    assert len((tmp_path / "maillog").read_text().splitlines()) == 2


def test_logger_of_the_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """POSTLOG_SERVICE counts while main.cf names no log file."""
    path = str(tmp_path / "s")
    monkeypatch.setenv("POSTLOG_SERVICE", path)
    monkeypatch.setenv("POSTLOG_HOSTNAME", "parent.example")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        configure_log(Snapshot({}), "smtpd")
        log.info("x")
        assert b" parent postfix/smtpd[" in server.recv(1000)


def test_a_log_file_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the host is ours, too: a service may have another name than its master."""
    monkeypatch.setenv("POSTLOG_SERVICE", str(tmp_path / "public/postlog"))
    monkeypatch.setenv("POSTLOG_HOSTNAME", "parent.example")
    (tmp_path / "public").mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "public/postlog"))
        main = {"maillog_file": str(tmp_path / "maillog"), "queue_directory": str(tmp_path), "myhostname": "relay.example"}
        configure_log(Snapshot(main), "smtp")
        log.info("x")
        assert b" relay postfix/smtp[" in server.recv(1000)
