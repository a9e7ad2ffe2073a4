"""The commands find the configuration of the test's own mail system."""

from __future__ import annotations

import pytest

from tests.unit.daemons.running import System


@pytest.fixture
def mail(system: System, monkeypatch: pytest.MonkeyPatch) -> System:
    """A mail system, to which MAIL_CONFIG leads."""
    monkeypatch.setenv("MAIL_CONFIG", str(system.folder))
    monkeypatch.setenv("TZ", "UTC")
    return system
