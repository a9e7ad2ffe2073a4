"""Beside the reference: tests/parity/smtpd/test_access_statuses.py."""

from __future__ import annotations

import pytest

from pyfix.access.fitting_status import fitting_status
from pyfix.access.stage import CLIENT, HELO, RECIPIENT, SENDER, Stage
from pyfix.runtime.log import log


@pytest.mark.parametrize(
    ("status", "stage", "fits"),
    [
        ("5.7.1", CLIENT, "5.7.1"), ("5.1.1", CLIENT, "5.0.0"), ("4.1.2", HELO, "4.0.0"), ("5.1.1", SENDER, "5.1.7"),
        ("4.1.2", SENDER, "4.1.8"), ("5.1.5", SENDER, "5.1.0"), ("5.1.7", RECIPIENT, "5.1.3"), ("5.1.8", RECIPIENT, "5.1.2"),
        ("5.1.11", RECIPIENT, "5.1.0"), ("5.1.1", RECIPIENT, "5.1.1"), ("2.1.0", SENDER, "2.1.0"),
    ],
)  # fmt: skip
def test_statuses(status: str, stage: Stage, fits: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(log, "info", lines.append)
    assert fitting_status(status, stage) == fits
    assert lines == ([] if fits == status else [f"mapping DSN status {status} into {stage.label} status {fits}"])
