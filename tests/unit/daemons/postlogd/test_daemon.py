"""postlogd(8): lines of many programs in one file."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyfix.daemons.postlogd import daemon as postlogd
from tests.unit.daemons.running import SECONDS, Running, System, running, start


@pytest.fixture
def logfile(system: System) -> Path:
    return system.folder / "maillog"


def wait(path: Path, condition: Callable[[bytes], bool]) -> bytes:
    end = time.monotonic() + SECONDS
    while not (path.exists() and condition(path.read_bytes())):
        assert time.monotonic() < end, path.read_bytes() if path.exists() else "no file"
        time.sleep(0.002)
    return path.read_bytes()


@pytest.fixture
def daemon(system: System) -> Iterator[Running]:
    with running(postlogd.main, system, "postlog", "-l", kind="unix-dgram") as found:
        yield found


@pytest.fixture
def sender(daemon: Running, system: System) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.settimeout(SECONDS)
        found.connect(str(system.folder / "listener"))
        yield found


def test_lines_are_appended_in_order(sender: socket.socket, logfile: Path) -> None:
    lines = [b"line %d" % number for number in range(500)]
    for line in lines:
        sender.send(line)
    assert wait(logfile, lambda data: data.count(b"\n") >= 500) == b"".join(line + b"\n" for line in lines)


@pytest.mark.parametrize("datagram", [b"one", b"one\n", b"one\0", b"one\n\0", b"one\n\n"])
def test_each_datagram_is_one_line(sender: socket.socket, logfile: Path, datagram: bytes) -> None:
    """Whatever ends it, as the programs of others may."""
    sender.send(datagram)
    sender.send(b"two")
    assert wait(logfile, lambda data: b"two" in data) == b"one\ntwo\n"


def test_lines_of_one_turn_in_one_datagram(sender: socket.socket, logfile: Path) -> None:
    sender.send(b"one\ntwo\nthree")
    assert wait(logfile, lambda data: b"three\n" in data) == b"one\ntwo\nthree\n"


def test_bytes_are_written_as_they_come(sender: socket.socket, logfile: Path) -> None:
    sender.send(b"caf\xe9 \x80")
    assert wait(logfile, lambda data: data.endswith(b"\n")) == b"caf\xe9 \x80\n"


@pytest.mark.parametrize(("setting", "mode"), [("0600", 0o600), ("0640", 0o640), ("644", 0o644)])
def test_mode_of_a_new_file(system: System, logfile: Path, setting: str, mode: int) -> None:
    system.write_main(maillog_file_permissions=setting)
    with running(postlogd.main, system, "postlog", "-l", kind="unix-dgram"):
        wait(logfile, lambda _data: True)
    assert logfile.stat().st_mode & 0o777 == mode


def test_what_was_there_stays(system: System, logfile: Path) -> None:
    logfile.write_text("before\n")
    logfile.chmod(0o640)
    system.give(logfile)
    with running(postlogd.main, system, "postlog", "-l", kind="unix-dgram"):
        pass
    with (
        running(postlogd.main, system, "postlog", "-l", kind="unix-dgram"),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        sender.sendto(b"after", str(system.folder / "listener"))
        assert wait(logfile, lambda data: b"after\n" in data) == b"before\nafter\n"
    assert logfile.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("main", "options", "text"),
    [
        ({"maillog_file": "/nowhere/log", "maillog_file_prefixes": "/nowhere"}, ["-l"],
         "postlogd: fatal: open logfile '/nowhere/log': No such file or directory"),
        ({"maillog_file_prefixes": "/var"}, ["-l"], "does not match 'maillog_file_prefixes = /var'"),
        ({}, [], "postlogd: fatal: service postlog requires a process limit of 1"),
    ],
)  # fmt: skip
def test_refusals(system: System, main: dict[str, str], options: list[str], text: str) -> None:
    system.write_main(**main)
    assert start(postlogd.main, system, "postlog", *options, kind="unix-dgram").wait() == 1
    assert text in "\n".join(system.logged("fatal"))


def test_no_logfile(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    system.write_main(maillog_file="", syslog_facility="local7")
    assert start(postlogd.main, system, "postlog", "-l", "-V", kind="unix-dgram").wait() == 1
    text = "missing 'maillog_file' configuration, needed by service postlog"
    assert capfd.readouterr().err == f"postfix/postlogd: fatal: {text}\n"
