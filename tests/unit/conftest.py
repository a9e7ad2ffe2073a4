"""What tests of running daemons and commands share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.daemons.running import System


@pytest.fixture
def system() -> Iterator[System]:
    """The folders of a mail system, its main.cf, and its log."""
    made = System()
    yield made
    made.remove()
