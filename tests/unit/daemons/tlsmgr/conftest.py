from __future__ import annotations

import pytest


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is logged."""
    from pyfix.runtime.log import log

    found: list[str] = []
    monkeypatch.setattr(log, "info", found.append)
    monkeypatch.setattr(log, "warning", lambda text: found.append(f"warning: {text}"))
    return found
