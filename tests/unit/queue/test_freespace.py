"""Room in the queue's file system."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.queue import freespace


def test_free_bytes_are_those_of_the_file_system(tmp_path: Path) -> None:
    assert freespace.free_bytes(str(tmp_path)) > 0
    with pytest.raises(FileNotFoundError):
        freespace.free_bytes(str(tmp_path / "missing"))


@pytest.mark.parametrize(
    ("minimum", "limit", "room"),
    [
        (0, 0, True),
        (1000, 0, True),
        (1001, 0, False),
        (0, 666, True),
        (0, 667, False),
        (1000, 666, True),
        (1, 700, False),
    ],
)
def test_room(monkeypatch: pytest.MonkeyPatch, minimum: int, limit: int, room: bool) -> None:
    monkeypatch.setattr(freespace, "free_bytes", lambda _path: 1000)
    assert freespace.has_room(minimum, limit) is room
