from __future__ import annotations

import os
from pathlib import Path

from pyfix.runtime.filewatch import FileWatch


def test_changes(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "target").write_text("x")
    (tmp_path / "link").symlink_to("there/target")
    (tmp_path / "file").write_text("x")
    watch = FileWatch([str(tmp_path / "file"), str(tmp_path / "link"), str(tmp_path / "later")])
    assert not watch.changed()
    (tmp_path / "other").write_text("x")
    assert not watch.changed()
    for change in (
        lambda: (tmp_path / "file").write_text("y"),
        lambda: os.replace(tmp_path / "other", tmp_path / "file"),
        lambda: (tmp_path / "later").write_text("x"),
        lambda: (tmp_path / "there" / "target").write_text("y"),
        lambda: ((tmp_path / "new").symlink_to("file"), os.replace(tmp_path / "new", tmp_path / "link")),
    ):
        change()
        assert watch.changed() and not watch.changed()
    os.remove(tmp_path / "file")
    assert not watch.changed()
    assert watch.fileno() >= 0
    watch.close()


def test_folders_that_are_not_there(tmp_path: Path) -> None:
    watch = FileWatch([str(tmp_path / "missing" / "file")])
    assert not watch.changed()
    watch.close()
