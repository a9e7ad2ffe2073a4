from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.runtime import filesync
from pyfix.runtime.filesync import sync_files
from tests.kit import requirements
from tests.unit.runtime.forked import in_child


@pytest.fixture
def files(tmp_path: Path) -> Iterator[list[int]]:
    fds = []
    for number in range(300):
        path = tmp_path / str(number)
        path.write_bytes(b"x" * number)
        fds.append(os.open(path, os.O_RDONLY))
    yield list(fds)
    for fd in fds:
        os.close(fd)


@pytest.fixture(params=["together", "one by one"])
def manner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the kernel's help, and without."""
    monkeypatch.setattr(filesync, "_known", (0, None))
    if request.param == "one by one":
        monkeypatch.setattr(filesync, "_SYSTEM_CALLS", {})
    return str(request.param)


@pytest.mark.parametrize("count", [1, 2, 128, 129, 300])
def test_any_number(files: list[int], manner: str, count: int) -> None:
    assert sync_files(files[:count]) == [None] * count


@pytest.mark.parametrize("bad", [0, 1, 199])
def test_each_file_has_its_own_fault(files: list[int], manner: str, bad: int) -> None:
    """A descriptor that is closed, and one of a pipe, which can't be synced."""
    fds = files[:200]
    reader, _writer = os.pipe()
    closed = os.dup(reader)
    os.close(closed)
    for fd, code in ((closed, errno.EBADF), (reader, errno.EINVAL)):
        fds[bad] = fd
        results = sync_files(fds)
        failed = {index: error.errno for index, error in enumerate(results) if error is not None}
        assert failed == {bad: code}


def test_a_child_has_a_queue_of_its_own(files: list[int]) -> None:
    assert sync_files(files[:5]) == [None] * 5
    assert in_child(lambda: (sync_files(files[:5]), filesync._known[0] == os.getpid())) == repr(([None] * 5, True))


def test_results_that_do_not_come(files: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of which nothing is heard are not safe; later ones do not wait in the same queue."""
    monkeypatch.setattr(filesync, "_known", (0, None))
    queue = filesync._queue()
    if queue is None:
        requirements.missing("no asynchronous I/O here")
    monkeypatch.setattr(queue, "_getevents", -1)
    results = sync_files(files[:3])
    assert [error and error.errno for error in results] == [errno.EIO] * 3
    assert sync_files(files[:3]) == [None] * 3
