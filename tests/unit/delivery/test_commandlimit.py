from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.delivery.commandlimit import commands_at_a_time, deliveries_at_a_time


@pytest.mark.parametrize(
    ("limit", "expected"), [("-", (7, True)), ("5", (1, False)), ("1", (1, False)), ("0", (1, False))]
)
def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, expected: tuple[int, bool]) -> None:
    (tmp_path / "master.cf").write_text(f"x unix - n n - - smtp\nx unix - n n - {limit} pipe user=a argv=b\n")
    monkeypatch.setenv("MAIL_CONFIG", str(tmp_path))
    snapshot = Snapshot({"default_process_limit": "7"}, process_name="pipe")
    assert commands_at_a_time(snapshot, "x", "pipe") == expected
    assert commands_at_a_time(snapshot, "y", "pipe") == (1, False)


@pytest.mark.parametrize(
    ("limit", "expected"), [("-", (7, True)), ("5", (5, True)), ("1", (1, True)), ("0", (100, False))]
)
def test_limits_of_deliveries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, expected: tuple[int, bool]
) -> None:
    (tmp_path / "master.cf").write_text(f"x unix - - n - {limit} smtp\n")
    monkeypatch.setenv("MAIL_CONFIG", str(tmp_path))
    snapshot = Snapshot({"default_process_limit": "7"}, process_name="smtp")
    assert deliveries_at_a_time(snapshot, "x", "smtp", 100) == expected
    assert deliveries_at_a_time(snapshot, "y", "smtp", 100) == (100, False)


def test_no_master_cf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_CONFIG", str(tmp_path))
    assert commands_at_a_time(Snapshot({}, process_name="pipe"), "x", "pipe") == (1, False)
