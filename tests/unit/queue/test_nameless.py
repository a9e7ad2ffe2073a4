from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.queue import nameless
from pyfix.queue.nameless import NamelessFiles, nameless_files
from tests.kit import requirements
from tests.unit.runtime.forked import in_child


@pytest.fixture
def files(tmp_path: Path) -> NamelessFiles:
    found = NamelessFiles(str(tmp_path))
    if found.links < 0:
        requirements.missing("no files without names on this file system")
    return found


def test_nothing_is_to_be_seen_of_a_file_before_it_has_a_name(files: NamelessFiles, tmp_path: Path) -> None:
    fd, inode = files.open()
    os.write(fd, b"x")
    assert os.listdir(tmp_path) == [] and os.fstat(fd).st_ino == inode
    os.link(str(fd), tmp_path / "name", src_dir_fd=files.links)
    assert (tmp_path / "name").read_bytes() == b"x" and (tmp_path / "name").stat().st_ino == inode
    assert (tmp_path / "name").stat().st_mode & 0o777 == 0o700 & ~current_umask()
    os.close(fd)


def current_umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def test_a_spare_file_is_given_once(files: NamelessFiles) -> None:
    files.keep_spare()
    files.keep_spare()
    first, second = files.open(), files.open()
    assert first[1] != second[1]
    for fd, _inode in (first, second):
        os.close(fd)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    files = NamelessFiles(str(tmp_path / "none"))
    assert files.links == -1
    files.keep_spare()
    with pytest.raises(FileNotFoundError):
        files.open()


def test_systems_without_such_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nameless, "_TMPFILE", 0)
    assert NamelessFiles(str(tmp_path)).links == -1
    monkeypatch.undo()

    def no_proc(path: str, *arguments: object, **named: object) -> int:
        raise FileNotFoundError

    monkeypatch.setattr(os, "open", no_proc)
    assert NamelessFiles(str(tmp_path)).links == -1


def test_a_file_system_that_does_not_name_files_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    assert NamelessFiles(str(tmp_path)).links == -1
    assert os.listdir(tmp_path) == []


def test_each_process_has_its_own(tmp_path: Path) -> None:
    mine = nameless_files(str(tmp_path))
    assert nameless_files(str(tmp_path)) is mine
    assert in_child(lambda: nameless_files(str(tmp_path)) is not mine) == "True"


def test_folders_that_are_forgotten_leave_nothing_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    nameless_files(str(tmp_path)).keep_spare()
    assert len(os.listdir("/proc/self/fd")) > before
    nameless.forget_folders()
    assert len(os.listdir("/proc/self/fd")) == before
    assert nameless_files(str(tmp_path)).links >= 0
