from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pyfix.runtime.masterlock import PID_FILE, LockError, MasterLock, running_master


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    (tmp_path / "pid").mkdir()
    return tmp_path


def test_lock(spool: Path) -> None:
    path = spool / PID_FILE
    assert running_master(str(spool)) is None
    lock = MasterLock(str(path))
    lock.write_pid(4711)
    assert path.read_text() == f"{4711:>32}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert running_master(str(spool)) == 4711
    with pytest.raises(LockError, match="unable to set exclusive lock: Resource temporarily unavailable"):
        MasterLock(str(path))
    os.close(lock.fd)
    assert running_master(str(spool)) is None


def test_a_shorter_number_leaves_nothing_of_the_old_content(spool: Path) -> None:
    path = spool / PID_FILE
    path.write_text("something that is longer than the usual content of this file\n")
    lock = MasterLock(str(path))
    lock.write_pid(1)
    assert running_master(str(spool)) == 1
    os.close(lock.fd)


def test_locked_but_not_yet_written(spool: Path) -> None:
    lock = MasterLock(str(spool / PID_FILE))
    assert running_master(str(spool)) == 0
    os.close(lock.fd)


def test_not_a_file_of_ours(spool: Path) -> None:
    (spool / "target").touch()
    (spool / "link").symlink_to(spool / "target")
    (spool / "nowhere").symlink_to(spool / "nothing")
    spool.chmod(0o777)
    with pytest.raises(LockError, match="file is a symbolic link"):
        MasterLock(str(spool / "link"))
    with pytest.raises(LockError, match="cannot open file: No such file or directory"):
        MasterLock(str(spool / "nowhere"))
    (spool / "hard").hardlink_to(spool / "target")
    with pytest.raises(LockError, match="file has 2 hard links"):
        MasterLock(str(spool / "hard"))
    with pytest.raises(LockError, match="not a regular file"):
        MasterLock("/dev/null")
    with pytest.raises(LockError, match="cannot create file exclusively: No such file or directory"):
        MasterLock(str(spool / "no/such"))
