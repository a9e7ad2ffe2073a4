"""Files in the maildrop, which local users may have made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.queue import maildrop
from pyfix.queue.maildrop import Posted, Refused
from pyfix.queue.spool import Spool


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    (tmp_path / "maildrop").mkdir()
    return Spool((), 1, str(tmp_path))


def post(spool: Spool, name: str = "ABC123", mode: int = 0o744) -> Path:
    path = Path(spool.path("maildrop", name))
    path.write_bytes(b"x")
    path.chmod(mode)
    return path


def test_names_that_are_no_queue_ids_are_passed_over(spool: Spool) -> None:
    post(spool, "ABC")
    post(spool, "a.b")
    assert maildrop.names(spool) == ["ABC"]


def test_a_complete_file_is_taken(spool: Spool) -> None:
    path = post(spool)
    posted = maildrop.look_at(spool, "ABC123")
    assert posted == Posted("ABC123", str(path), os.getuid(), posted.mode if posted else 0, path.stat().st_mtime)
    fd = maildrop.open_safely(posted)
    assert os.read(fd, 10) == b"x"
    os.close(fd)


def test_a_file_that_is_being_written_waits(spool: Spool) -> None:
    post(spool, mode=0o644)
    assert maildrop.look_at(spool, "ABC123") is None
    assert maildrop.look_at(spool, "GONE") is None


def test_what_is_no_file_stays(spool: Spool) -> None:
    os.symlink("/etc/passwd", spool.path("maildrop", "ABC"))
    os.mkdir(spool.path("maildrop", "DEF"))
    for name in ("ABC", "DEF"):
        with pytest.raises(Refused, match="not a regular file") as refused:
            maildrop.look_at(spool, name)
        assert not refused.value.remove


def test_a_file_that_became_a_link_is_not_opened(spool: Spool) -> None:
    path = post(spool)
    posted = maildrop.look_at(spool, "ABC123")
    assert posted is not None
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(Refused, match="cannot open file"):
        maildrop.open_safely(posted)


def test_a_second_link_is_refused_and_removed(spool: Spool, tmp_path: Path) -> None:
    path = post(spool)
    os.link(path, tmp_path / "other")
    posted = maildrop.look_at(spool, "ABC123")
    assert posted is not None
    with pytest.raises(Refused, match="file has 2 hard links") as refused:
        maildrop.open_safely(posted)
    assert refused.value.remove


@pytest.mark.parametrize(("mode", "uid", "again"), [(0o100700, 7, True), (0o100744, 7, False), (0o100700, 8, False)])
def test_what_postsuper_put_here_is_known_by_owner_and_mode(mode: int, uid: int, again: bool) -> None:
    assert Posted("A", "maildrop/A", uid, mode, 0.0).requeued(7) is again


@pytest.mark.parametrize(
    ("age", "warning"),
    [
        (86300, ""),
        (86500, "message maildrop/A has been queued for 1 days"),
        (86400 * 10 + 5, "message maildrop/A has been queued for 10 days"),
        (-7100, ""),
        (-7300, "message maildrop/A dated 7300 seconds into the future"),
        (-90000, "message maildrop/A dated 90000 seconds into the future"),
    ],
)
def test_strange_times_are_told(age: int, warning: str) -> None:
    assert Posted("A", "maildrop/A", 0, 0o100744, 1000000.0 - age).age_warning(1000000.0) == warning
