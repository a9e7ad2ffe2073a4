"""What tests of running daemons and commands share."""

from __future__ import annotations

import os
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


@pytest.fixture(autouse=True)
def _no_environment_of_others() -> Iterator[None]:
    """Undo what a command under test has done to the environment of this process: its own ends with it."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    for name, value in before.items():
        if name != "PYTEST_CURRENT_TEST" and os.environ.get(name) != value:
            os.environ[name] = value
