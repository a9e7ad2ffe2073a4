"""Tests that test_requirements.py runs as somebody who is not root; they are not collected by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity


def test_that_runs_everywhere() -> None:
    assert True


@pytest.mark.root
def test_that_needs_root() -> None:
    raise AssertionError("this must not run")


@pytest.mark.reference
def test_that_needs_the_reference(new_instance: Callable[..., Instance]) -> None:
    raise AssertionError("this must not run")


def test_that_compares(parity: Parity) -> None:
    raise AssertionError("this must not run")


def test_that_skips_by_itself() -> None:
    pytest.skip("no such thing here")
