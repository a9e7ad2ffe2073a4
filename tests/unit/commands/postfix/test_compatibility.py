"""What postfix says of old defaults."""

from __future__ import annotations

import pytest

from pyfix.commands.postfix import compatibility
from pyfix.commands.postfix.compatibility import tell_old_defaults
from pyfix.config.snapshot import Snapshot


@pytest.mark.parametrize(("level", "lines"), [("0", 3), ("3.10", 3), ("3.11", 0), ("4", 0)])
def test_levels(level: str, lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(compatibility.log, "info", said.append)
    tell_old_defaults(Snapshot({"compatibility_level": level}))
    assert len(said) == lines
    if lines:
        assert said[2] == 'To disable backwards compatibility use "postconf compatibility_level=3.11" and "postfix reload"'


def test_the_level_is_that_of_the_version() -> None:
    assert Snapshot({}).value("mail_version").startswith(f"{compatibility.LATEST_LEVEL}.")
