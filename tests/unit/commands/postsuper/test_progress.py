"""The line that tells how far postsuper(1) has come."""

from __future__ import annotations

import io

import pytest

from pyfix.commands.postsuper import progress
from pyfix.commands.postsuper.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _run(stream: io.StringIO, count: int, *, wanted: bool = True) -> str:
    shown = Progress(stream, wanted=wanted)
    for _ in range(count):
        shown.step("deferred")
    shown.step("hold")
    shown.clear()
    shown.clear()
    return stream.getvalue()


def test_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_INTERVAL", 0.0)
    text = _run(Terminal(), 1100)
    line = "postsuper: deferred: 1000"
    assert text.startswith("\r" + line), "a thousand files are many"
    assert "\rpostsuper: deferred: 1088" in text
    assert text.endswith("\r" + " " * len(line) + "\r"), "nothing of it stays"
    assert "\n" not in text


def test_not_too_often() -> None:
    assert _run(Terminal(), 5000).count("postsuper") == 1


@pytest.mark.parametrize(("stream", "count", "wanted"), [(io.StringIO(), 5000, True), (Terminal(), 999, True), (Terminal(), 5000, False)])
def test_where_there_is_none(stream: io.StringIO, count: int, wanted: bool) -> None:
    assert _run(stream, count, wanted=wanted) == ""
