from __future__ import annotations

import pytest

from pyfix.config.compatibility import flushes_by_old_default, is_old_default, old_default_text
from pyfix.config.snapshot import Snapshot


@pytest.mark.parametrize(
    ("settings", "old"),
    [
        ({"compatibility_level": "1"}, True), ({}, True), ({"compatibility_level": "2"}, False), ({"compatibility_level": "3.11"}, False),
        ({"relay_domains": ""}, False), ({"fast_flush_domains": "$relay_domains"}, False), ({"compatibility_level": "x"}, False),
    ],
)  # fmt: skip
def test_flushing(settings: dict[str, str], old: bool) -> None:
    assert flushes_by_old_default(Snapshot(settings)) is old


def test_levels() -> None:
    assert is_old_default(Snapshot({"compatibility_level": "3.5"}), "respectful_logging", "3.6")
    assert not is_old_default(Snapshot({"compatibility_level": "3.5", "respectful_logging": "no"}), "respectful_logging", "3.6")


def test_text() -> None:
    assert old_default_text("a=b to c") == "using backwards-compatible default setting a=b to c"
