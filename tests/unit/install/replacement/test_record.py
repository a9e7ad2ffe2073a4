from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.install.replacement.existing import Existing
from pyfix.install.replacement.record import Record


def test_written_and_read(existing: Existing, tmp_path: Path) -> None:
    place = tmp_path / "lib/record"
    assert Record.read(place) is None
    record = Record(existing, tuple(existing.programs()), "plain", (Path("/etc/x"),), complete=False)
    record.write(place)
    assert Record.read(place) == record
    assert [path.name for path in place.parent.iterdir()] == ["record"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"programs": []}', '{"programs": [{"path": 1}]}'])
def test_damaged(text: str, tmp_path: Path) -> None:
    (tmp_path / "record").write_text(text)
    with pytest.raises(ValueError, match=r"/record: "):
        Record.read(tmp_path / "record")
