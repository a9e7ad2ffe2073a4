from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.delivery.locks import LockBusy, lock_file, parse_methods, release_dotlock, take_dotlock


def test_dotlocks(tmp_path: Path) -> None:
    path = str(tmp_path / "mbox")
    assert take_dotlock(path, 500)
    with pytest.raises(LockBusy):
        take_dotlock(path, 500)
    assert take_dotlock(path, -1)


def test_a_stale_lock_file_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "mbox")
    take_dotlock(path, 500)
    monkeypatch.setattr("pyfix.delivery.locks.time.time", lambda: os.stat(path + ".lock").st_ctime + 501)
    assert take_dotlock(path, 500)
    assert os.path.exists(path + ".lock")


def test_a_lock_file_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it need not be there, a mailbox in a folder that is closed to its owner is locked by the kernel only."""

    def denied(*_arguments: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    path = str(tmp_path / "mbox")
    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(PermissionError):
        take_dotlock(path, 500, may_fail=True)
    monkeypatch.undo()
    (tmp_path / "mbox").touch()
    monkeypatch.setattr(os, "open", denied)
    assert not take_dotlock(path, 500, may_fail=True)
    with pytest.raises(PermissionError):
        take_dotlock(path, 500)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        take_dotlock(str(tmp_path / "none/mbox"), 500)


def test_release(tmp_path: Path) -> None:
    path = str(tmp_path / "mbox")
    take_dotlock(path, 500)
    release_dotlock(path)
    assert os.listdir(tmp_path) == []
    release_dotlock(path)


@pytest.mark.parametrize(("mine", "theirs", "busy"), [
    ("flock", "flock", True), ("fcntl", "fcntl", True), ("flock", "fcntl", False), ("dotlock", "flock", False),
])  # fmt: skip
def test_locks_of_the_kernel(tmp_path: Path, mine: str, theirs: str, busy: bool) -> None:
    """Locks of one kind say nothing of the other; dotlock is none of the kernel's."""
    path = tmp_path / "mbox"
    path.touch()
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        fd = os.open(path, os.O_RDWR)
        lock_file(fd, frozenset([theirs]))
        os.write(ready[1], b"x")
        os.read(done[0], 1)
        os._exit(0)
    try:
        assert os.read(ready[0], 1) == b"x"
        with path.open("r+b") as file:
            if busy:
                with pytest.raises(LockBusy, match="unable to lock for exclusive access"):
                    lock_file(file.fileno(), frozenset([mine]))
            else:
                lock_file(file.fileno(), frozenset([mine]))
    finally:
        os.write(done[1], b"x")
        os.waitpid(child, 0)
        for fd in (*ready, *done):
            os.close(fd)


def test_names_of_methods() -> None:
    assert parse_methods("p", ["fcntl", "dotlock"], "fcntl dotlock") == {"fcntl", "dotlock"}
    with pytest.raises(ConfigError, match='unknown mailbox_delivery_lock value "other" in "fcntl other"'):
        parse_methods("p", ["fcntl", "other"], "fcntl other")
    with pytest.raises(ConfigError, match="parameter p specifies no applicable mailbox locking method"):
        parse_methods("p", [], "")
