"""Keys and certificates for the tests of this folder."""

from __future__ import annotations

import pytest

from tests.kit.tls import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is logged."""
    from pyfix.runtime.log import log

    found: list[str] = []
    monkeypatch.setattr(log, "info", found.append)
    monkeypatch.setattr(log, "warning", lambda text: found.append(f"warning: {text}"))
    return found
