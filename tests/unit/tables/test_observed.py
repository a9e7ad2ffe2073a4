from __future__ import annotations

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.runtime.task import run_now
from pyfix.tables import source
from pyfix.tables.observed import FAILED, ObservedTable
from pyfix.tables.source import observe, open_table
from pyfix.tables.table import TableError


def test_questions_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str, str | None]] = []
    monkeypatch.setattr(source, "_observers", [])
    observe(lambda *question: told.append(question))
    snapshot = Snapshot({})
    table = open_table("inline:{a=1}", snapshot)
    assert isinstance(table, ObservedTable)
    assert table.find_now("A") == "1"
    assert run_now(table.find("b")) is None
    broken = open_table("fail:x", snapshot)
    with pytest.raises(TableError):
        broken.find_now("c")
    with pytest.raises(TableError):
        run_now(broken.find("d"))
    assert told == [
        ("inline:{a=1}", "A", "1"), ("inline:{a=1}", "b", None), ("fail:x", "c", FAILED), ("fail:x", "d", FAILED),
    ]  # fmt: skip
    assert not table.changed()
    assert table.local and not table.pattern
    table.close()


def test_nobody_is_told_of_other_tables() -> None:
    assert not isinstance(open_table("inline:{a=1}", Snapshot({})), ObservedTable)
