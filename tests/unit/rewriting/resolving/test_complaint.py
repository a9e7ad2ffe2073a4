from __future__ import annotations

from pyfix.rewriting.resolving.complaint import Complaints


def test_warnings_are_counted(logged: list[str]) -> None:
    complaints = Complaints()
    complaints.warn("one")
    complaints.warn("two")
    assert complaints.count == 2
    assert logged == ["warning: one", "warning: two"]
