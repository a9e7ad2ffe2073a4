"""Without root: the whole system belongs to its caller and does the same work."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.kit import exercise
from tests.kit.instance import Instance

NOBODY = 65534


@pytest.mark.root
def test_a_system_of_an_ordinary_user(new_instance: Callable[..., Instance]) -> None:
    """Mail flows through every daemon and no process has another user than the caller."""
    mta = new_instance("pyfix", main=exercise.MAIN, user=NOBODY).start()
    exercise.exercise(mta)
    assert {os.stat(f"/proc/{pid}").st_uid for pid in mta.pids()} == {NOBODY}
    mta.stop()
