"""What tests of master share: a quiet log that remembers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyfix.runtime.log import log


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The lines that were logged, each with its severity."""
    found: list[str] = []

    def remember(severity: str, text: str) -> None:
        found.append(text if severity == "info" else f"{severity}: {text}")

    monkeypatch.setattr(log, "_log", remember)
    yield found
