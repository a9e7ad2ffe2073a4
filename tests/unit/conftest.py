"""What tests of running daemons and commands share."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.unit.daemons.running import System


@pytest.fixture
def system() -> Iterator[System]:
    """The folders of a mail system, its main.cf, and its log."""
    made = System()
    yield made
    made.remove()


@pytest.fixture(autouse=True)
def _no_tables_of_others() -> Iterator[None]:
    """Close the tables that a test has opened: a daemon restarts when any table of its process changes."""
    yield
    source = sys.modules.get("pyfix.tables.source")
    if source is not None:
        source.forget_tables()


@pytest.fixture(autouse=True)
def _no_folders_of_others() -> Iterator[None]:
    """Close what the process keeps open for each folder that it makes queue files in: a daemon has one, tests many."""
    yield
    nameless = sys.modules.get("pyfix.queue.nameless")
    if nameless is not None:
        nameless.forget_folders()
