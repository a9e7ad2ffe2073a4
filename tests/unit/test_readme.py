"""The table in tests/README.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", (TESTS / "README.md").read_text())))


def test_there_are_some() -> None:
    assert len(NAMED) > 80


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_it_exists(file: str, test: str) -> None:
    text = (TESTS / file).read_text()
    assert not test or re.search(rf"(?m)^(?:async )?def {test}\(", text)
