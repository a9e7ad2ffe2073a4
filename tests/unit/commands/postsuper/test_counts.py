"""Counts of postsuper(1)."""

from __future__ import annotations

import pytest

from pyfix.commands.postsuper.counts import Counts
from pyfix.runtime.log import log


def test_what_was_asked_for_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(log, "info", said.append)
    counts = Counts()
    counts.report()
    assert said == []
    counts.expect("h")
    counts.add("d")
    counts.add("s")
    counts.add("s")
    counts.report()
    assert said == ["Deleted: 1 message", "Placed on hold: 0 messages", "Renamed to match inode number: 2 messages"]
