from __future__ import annotations

import pytest

from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.qmgr import transports
from pyfix.daemons.qmgr.transports import Transports
from pyfix.runtime.log import log
from pyfix.scheduling.transport import Transport


def transport(name: str = "smtp", **main: str) -> Transport:
    snapshot = Snapshot({"compatibility_level": "3.11", "myhostname": "mail.ours.example", **main})
    return Transports(QmgrSettings(snapshot), snapshot).get(name)


def test_each_is_made_once() -> None:
    snapshot = Snapshot({"compatibility_level": "3.11", "myhostname": "mail.ours.example"})
    known = Transports(QmgrSettings(snapshot), snapshot)
    assert known.all() == []
    assert known.get("smtp") is known.get("smtp")
    assert known.get("other").path == "private/other"
    assert [found.name for found in known.all()] == ["smtp", "other"]


def test_limits_of_a_transport_come_before_those_of_all() -> None:
    main = {"smtp_destination_recipient_limit": "7", "default_destination_recipient_limit": "9"}
    assert (transport(**main).recipient_limit, transport("x", **main).recipient_limit) == (7, 9)


def test_pauses() -> None:
    assert transport(smtp_destination_rate_delay="2m").rate_delay == 120
    assert transport("local", smtp_destination_rate_delay="2m").rate_delay == 0
    slow = transport(smtp_destination_rate_delay="1s", smtp_destination_concurrency_limit="7")
    assert (slow.rules.limit, slow.rules.first_window()) == (1, 1), "one delivery to a destination at a time"


def test_feedback_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(log, "warning", lines.append)
    transport(smtp_destination_concurrency_negative_feedback="2")
    assert lines == ["smtp_destination_concurrency_negative_feedback: ignoring malformed or unreasonable feedback: 2"]
    transport("x", default_destination_concurrency_positive_feedback="7")
    assert lines[1:] == ["default_destination_concurrency_positive_feedback: ignoring malformed or unreasonable feedback: 7"]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("smtp_destination_recipient_limit", "x", "bad numerical configuration: smtp_destination_recipient_limit = x"),
        ("smtp_initial_destination_concurrency", "0", "invalid smtp_initial_destination_concurrency parameter value 0 < 1"),
        ("smtp_delivery_slot_discount", "101", "invalid smtp_delivery_slot_discount parameter value 101 > 100"),
        ("smtp_destination_rate_delay", "y", "parameter smtp_destination_rate_delay: bad time value or unit: y"),
    ],
)
def test_a_limit_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, name: str, value: str, text: str) -> None:
    def end(reason: str) -> None:
        raise SystemExit(reason)

    monkeypatch.setattr(transports, "give_up", end)
    with pytest.raises(SystemExit, match=text):
        transport(**{name: value})
