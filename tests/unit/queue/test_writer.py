"""New queue files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pyfix.formats.queuefile import Sizes
from pyfix.formats.queueid import inode_of, is_long
from pyfix.formats.records import encode_record
from pyfix.queue.spool import Spool
from pyfix.queue.writer import QueueFileWriter, SizeLimitExceeded, remove_logs

SIZES = Sizes(segment=10, data_offset=200, recipients=1, flags=0, content=10, options=3)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    for name in ("incoming", "hold", "defer", "bounce", "trace"):
        (tmp_path / name).mkdir()
    return Spool(("deferred", "defer"), 1, str(tmp_path))


def test_the_id_is_made_of_time_and_inode(spool: Spool) -> None:
    file = QueueFileWriter.create(spool)
    status = os.stat(file.path)
    assert inode_of(file.queue_id) == status.st_ino
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert os.listdir(spool.folder("incoming")) == [file.queue_id]


def test_long_ids(spool: Spool) -> None:
    file = QueueFileWriter.create(spool, long_ids=True)
    assert is_long(file.queue_id)
    assert inode_of(file.queue_id) == os.stat(file.path).st_ino


def test_a_taken_temporary_name_is_passed_over(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([5_000_001_000, 5_000_002_000])
    monkeypatch.setattr("time.time_ns", lambda: next(clock))
    Path(f"{spool.folder('incoming')}/1.{os.getpid()}").touch()
    file = QueueFileWriter.create(spool)
    assert file.queue_id.startswith("00002")


def test_folders_of_a_hashed_queue_are_made(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    spool = Spool(("incoming",), 2, str(tmp_path))
    file = QueueFileWriter.create(spool)
    assert Path(file.path).parent.parent.parent == tmp_path / "incoming"
    assert os.path.exists(file.path)


def test_a_small_file_is_written_once(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: calls.append(len(data)) or real(fd, data))
    monkeypatch.setattr(os, "pwrite", lambda *_: pytest.fail("nothing is to be written in place"))
    file = QueueFileWriter.create(spool)
    file.begin()
    file.append(encode_record(0x4E, b"x"))
    file.complete(SIZES)
    assert calls == [100]
    assert Path(file.path).read_bytes() == SIZES.encode() + b"N\x01x"
    assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o700


def test_the_mode_says_complete_only_after_the_data(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = os.fchmod
    monkeypatch.setattr(os, "fchmod", lambda fd, mode: sizes.append(os.fstat(fd).st_size) or real(fd, mode))
    file = QueueFileWriter.create(spool)
    file.begin()
    file.append(b"N\0")
    file.complete(SIZES)
    assert sizes == [99]


def test_a_big_file_gets_its_sizes_in_place(spool: Spool) -> None:
    file = QueueFileWriter.create(spool)
    file.begin()
    for _ in range(5):
        file.append(b"N\x03abc" * 20000)
    assert os.path.getsize(file.path) > 200000
    file.complete(SIZES)
    content = Path(file.path).read_bytes()
    assert content.startswith(SIZES.encode())
    assert content[97:] == b"N\x03abc" * 100000
    assert file.size == len(content)


def test_short_writes_are_continued(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:7]))
    file = QueueFileWriter.create(spool)
    file.begin()
    file.append(b"N\0")
    file.complete(SIZES)
    assert Path(file.path).read_bytes() == SIZES.encode() + b"N\0"


def test_the_limit_is_that_of_the_whole_file(spool: Spool) -> None:
    file = QueueFileWriter.create(spool, limit=100)
    file.begin()
    file.append(b"N\x01x")
    with pytest.raises(SizeLimitExceeded):
        file.append(b"N\0")
    file.append_regardless(b"E\0")
    file.write_sizes(SIZES)
    assert os.path.getsize(file.path) == 102
    assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o600


def test_move_and_remove(spool: Spool) -> None:
    file = QueueFileWriter.create(spool)
    file.move("hold")
    assert os.listdir(spool.folder("hold")) == [file.queue_id]
    file.remove()
    assert os.listdir(spool.folder("hold")) == []
    file.remove()


def test_logs_of_an_earlier_message_are_removed(spool: Spool) -> None:
    spool.make_folders(spool.path("defer", "ABC"))
    for name in ("defer", "trace"):
        Path(spool.path(name, "ABC")).touch()
    assert remove_logs(spool, "ABC") == ["defer", "trace"]
    assert remove_logs(spool, "ABC") == []


def test_a_file_that_cannot_be_made(spool: Spool) -> None:
    os.rmdir(spool.folder("incoming"))
    with pytest.raises(FileNotFoundError):
        QueueFileWriter.create(spool)
