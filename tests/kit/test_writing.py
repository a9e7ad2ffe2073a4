from __future__ import annotations

import threading
from pathlib import Path

from tests.kit.writing import write_at_once


def test_a_reader_finds_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "main.cf"
    contents = [bytes([letter]) * 100_000 for letter in b"ab"]
    write_at_once(path, contents[0])
    inode = path.stat().st_ino
    with path.open("rb") as opened:  # by one who began to read before
        write_at_once(path, contents[1], mode=0o755, changed=1000.0)
        assert opened.read() == contents[0]
    assert path.stat().st_ino != inode
    assert path.read_bytes() == contents[1]
    assert (path.stat().st_mode & 0o777, path.stat().st_mtime) == (0o755, 1000.0)
    assert [one.name for one in tmp_path.iterdir()] == ["main.cf"]


def test_it_is_never_empty(tmp_path: Path) -> None:
    path = tmp_path / "main.cf"
    contents = [bytes([letter]) * 100_000 for letter in b"ab"]
    write_at_once(path, contents[0])
    done = threading.Event()

    def write() -> None:
        for turn in range(300):
            write_at_once(path, contents[turn % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set():
        seen.add(path.read_bytes())
    writer.join()
    assert seen <= set(contents)
