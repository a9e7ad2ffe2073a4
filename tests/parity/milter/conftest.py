"""Milters that the cases of this folder talk to, the same for both sides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.milter import ScriptedMilter


@pytest.fixture(scope="module")
def milter() -> Iterator[ScriptedMilter]:
    with ScriptedMilter() as server:
        yield server


@pytest.fixture(scope="module")
def second() -> Iterator[ScriptedMilter]:
    """A milter behind the other."""
    with ScriptedMilter() as server:
        yield server
