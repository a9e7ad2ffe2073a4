"""New queue files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pyfix.formats.queuefile import Sizes
from pyfix.formats.queueid import inode_of, is_long
from pyfix.formats.records import encode_record
from pyfix.queue import nameless
from pyfix.queue.spool import Spool
from pyfix.queue.writer import QueueFileWriter, SizeLimitExceeded, keep_spare
from tests.unit.runtime.forked import in_child

SIZES = Sizes(segment=10, data_offset=200, recipients=1, flags=0, content=10, options=3)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    for name in ("incoming", "hold", "defer", "bounce", "trace"):
        (tmp_path / name).mkdir()
    return Spool(("deferred", "defer"), 1, str(tmp_path))


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files have a name from the beginning, as on file systems that know nothing else."""
    monkeypatch.setattr(nameless, "_open_links", lambda _folder: -1)
    monkeypatch.setattr(nameless, "_known", {})


@pytest.fixture(params=["nameless", "named"])
def both_ways(request: pytest.FixtureRequest) -> None:
    if request.param == "named":
        request.getfixturevalue("named")


def test_nothing_is_seen_of_an_incomplete_file(spool: Spool) -> None:
    file = QueueFileWriter.create(spool)
    file.begin()
    file.append(b"N\x03abc" * 100_000)
    assert os.listdir(spool.folder("incoming")) == []
    file.complete(SIZES)
    status = os.stat(file.path)
    assert os.listdir(spool.folder("incoming")) == [file.queue_id]
    assert inode_of(file.queue_id) == status.st_ino
    assert stat.S_IMODE(status.st_mode) == 0o700
    assert status.st_size == file.size


def test_an_incomplete_file_leaves_nothing_behind(spool: Spool) -> None:
    file = QueueFileWriter.create(spool)
    file.begin()
    file.append(b"N\x03abc" * 100_000)
    file.remove()
    assert os.listdir(spool.folder("incoming")) == []
    with pytest.raises(OSError):
        os.fstat(file.fd)


def test_a_name_that_is_taken_is_not_taken_away(spool: Spool) -> None:
    file = QueueFileWriter.create(spool)
    Path(file.path).write_bytes(b"other mail")
    file.begin()
    with pytest.raises(FileExistsError):
        file.complete(SIZES)
    assert Path(file.path).read_bytes() == b"other mail"


def test_another_process_makes_no_use_of_inherited_descriptors(spool: Spool) -> None:
    inherited = nameless.nameless_files(spool.folder("incoming"))
    assert inherited.links >= 0
    os.close(inherited.links)
    inherited.links = os.open("/", os.O_RDONLY)
    root = os.fstat(inherited.links)

    def create() -> bool:
        QueueFileWriter.create(spool).complete()
        return not os.path.samestat(os.fstat(nameless.nameless_files(spool.folder("incoming")).links), root)

    assert in_child(create) == "True"
    assert len(os.listdir(spool.folder("incoming"))) == 1


def test_a_spare_file_is_used_for_the_next_message_only(spool: Spool) -> None:
    keep_spare(spool)
    keep_spare(spool)
    assert os.listdir(spool.folder("incoming")) == []
    files = [QueueFileWriter.create(spool) for _ in range(2)]
    assert len({file.queue_id for file in files}) == 2
    for file in files:
        file.append(b"E\0")
        file.complete()
        assert Path(file.path).read_bytes() == b"E\0"
        assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o700


def test_a_folder_that_is_gone_is_reported_when_a_file_is_needed(spool: Spool) -> None:
    os.rmdir(spool.folder("incoming"))
    keep_spare(spool)
    with pytest.raises(FileNotFoundError):
        QueueFileWriter.create(spool)


def test_without_proc_files_are_named_at_once(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def chrooted(path: str, *arguments: object, **options: object) -> int:
        if path.startswith("/proc/"):
            raise FileNotFoundError(path)
        return real(path, *arguments, **options)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(nameless, "_known", {})
    monkeypatch.setattr(os, "open", chrooted)
    file = QueueFileWriter.create(spool)
    assert os.listdir(spool.folder("incoming")) == [file.queue_id]


@pytest.mark.usefixtures("named")
def test_the_id_is_made_of_time_and_inode(spool: Spool) -> None:
    file = QueueFileWriter.create(spool)
    status = os.stat(file.path)
    assert inode_of(file.queue_id) == status.st_ino
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert os.listdir(spool.folder("incoming")) == [file.queue_id]


@pytest.mark.usefixtures("both_ways")
def test_long_ids(spool: Spool) -> None:
    file = QueueFileWriter.create(spool, long_ids=True)
    file.complete()
    assert is_long(file.queue_id)
    assert inode_of(file.queue_id) == os.stat(file.path).st_ino


@pytest.mark.usefixtures("named")
def test_a_taken_temporary_name_is_passed_over(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([5_000_001_000, 5_000_002_000])
    monkeypatch.setattr("time.time_ns", lambda: next(clock))
    Path(f"{spool.folder('incoming')}/1.{os.getpid()}").touch()
    file = QueueFileWriter.create(spool)
    assert file.queue_id.startswith("00002")


@pytest.mark.usefixtures("both_ways")
def test_folders_of_a_hashed_queue_are_made(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    spool = Spool(("incoming",), 2, str(tmp_path))
    file = QueueFileWriter.create(spool)
    file.complete()
    assert Path(file.path).parent.parent.parent == tmp_path / "incoming"
    assert os.path.exists(file.path)


@pytest.mark.usefixtures("both_ways")
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


@pytest.mark.usefixtures("named")
def test_the_mode_says_complete_only_after_the_data(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = os.fchmod
    monkeypatch.setattr(os, "fchmod", lambda fd, mode: sizes.append(os.fstat(fd).st_size) or real(fd, mode))
    file = QueueFileWriter.create(spool)
    file.begin()
    file.append(b"N\0")
    file.complete(SIZES)
    assert sizes == [99]


@pytest.mark.usefixtures("both_ways")
def test_a_big_file_gets_its_sizes_in_place(spool: Spool) -> None:
    file = QueueFileWriter.create(spool)
    file.begin()
    for _ in range(5):
        file.append(b"N\x03abc" * 20000)
    assert os.fstat(file.fd).st_size > 200000
    file.complete(SIZES)
    content = Path(file.path).read_bytes()
    assert content.startswith(SIZES.encode())
    assert content[97:] == b"N\x03abc" * 100000
    assert file.size == len(content)


@pytest.mark.usefixtures("both_ways")
def test_short_writes_are_continued(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:7]))
    file = QueueFileWriter.create(spool)
    file.begin()
    file.append(b"N\0")
    file.complete(SIZES)
    assert Path(file.path).read_bytes() == SIZES.encode() + b"N\0"


@pytest.mark.usefixtures("both_ways")
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


@pytest.mark.usefixtures("both_ways")
def test_move_and_remove(spool: Spool) -> None:
    file = QueueFileWriter.create(spool)
    file.move("hold")
    file.complete()
    assert os.listdir(spool.folder("hold")) == [file.queue_id]
    file.remove()
    assert os.listdir(spool.folder("hold")) == []
    file.remove()


def test_a_file_that_cannot_be_made(spool: Spool) -> None:
    os.rmdir(spool.folder("incoming"))
    with pytest.raises(FileNotFoundError):
        QueueFileWriter.create(spool)
