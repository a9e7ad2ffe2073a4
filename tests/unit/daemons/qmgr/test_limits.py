from __future__ import annotations

import pytest

from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.qmgr.limits import Limits, adjusted_limits
from pyfix.runtime.log import log


@pytest.mark.parametrize(
    ("main", "limits", "adjusted"),
    [
        ({}, Limits(20000, 432000), []),
        ({"qmgr_message_recipient_limit": "30000"}, Limits(30000, 432000), []),
        ({"qmgr_message_recipient_limit": "9"}, Limits(20000, 432000), ["qmgr_message_recipient_limit is smaller"]),
        ({"maximal_queue_lifetime": "1d"}, Limits(20000, 86400), ["bounce_queue_lifetime is larger"]),
    ],
)
def test_what_does_not_fit(
    monkeypatch: pytest.MonkeyPatch, main: dict[str, str], limits: Limits, adjusted: list[str]
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(log, "warning", lines.append)
    snapshot = Snapshot({"compatibility_level": "3.11", "myhostname": "mail.ours.example", **main})
    assert adjusted_limits(QmgrSettings(snapshot)) == limits
    assert [line.partition(" than ")[0] for line in lines] == adjusted
