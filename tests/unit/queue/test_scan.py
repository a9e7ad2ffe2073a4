from __future__ import annotations

from pathlib import Path

from pyfix.queue.scan import other_names, queue_ids
from pyfix.queue.spool import Spool


def test_files_of_a_queue_hashed_or_not(tmp_path: Path) -> None:
    (tmp_path / "deferred/A/B").mkdir(parents=True)
    for name in ("AB12345", "A/AC12345", "A/B/ABC12345", "123.456", "A/x y"):
        (tmp_path / "deferred" / name).write_text("")
    spool = Spool(("deferred",), 2, str(tmp_path))
    found = dict(queue_ids(spool, "deferred"))
    assert sorted(found) == ["AB12345", "ABC12345", "AC12345"]
    assert all(Path(path).name == queue_id and Path(path).exists() for queue_id, path in found.items())
    assert list(queue_ids(spool, "incoming")) == []


def test_names_that_are_no_queue_ids(tmp_path: Path) -> None:
    (tmp_path / "active/A").mkdir(parents=True)
    for name in ("AB12345", "A/A-C", "123.456", "x y", "A/AD"):
        (tmp_path / "active" / name).write_text("")
    assert sorted(other_names(Spool((), 0, str(tmp_path)), "active")) == ["123.456", "A-C", "x y"]
    assert list(other_names(Spool((), 0, str(tmp_path)), "incoming")) == []
