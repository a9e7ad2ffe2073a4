from __future__ import annotations

from typing import Any

from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.qmgr.refill import MOST_AT_ONCE, Refill
from pyfix.scheduling.feedback import ConcurrencyRules, parse_feedback
from pyfix.scheduling.jobs import JobTransport
from pyfix.scheduling.message import ActiveMessage
from pyfix.scheduling.transport import RecipientMemory

UP, STEP = parse_feedback("1")


def refill(limit: int = 20000, **main: str) -> Refill:
    snapshot = Snapshot({"compatibility_level": "3.11", "myhostname": "mail.ours.example", **main})
    return Refill(QmgrSettings(snapshot), limit)


def message(held: int, portion: int = 0, read_at: float = 0.0, jobs: Any = None) -> ActiveMessage:
    made = ActiveMessage.__new__(ActiveMessage)
    made.held, made.portion, made.read_at, made.jobs = held, portion, read_at, jobs
    return made


def transport(in_memory: int, memory: RecipientMemory) -> JobTransport:
    made = JobTransport("smtp", ConcurrencyRules(5, 20, UP, STEP, UP, STEP, 1), 50, 0)
    made.in_memory, made.memory = in_memory, memory
    return made


def test_the_first_portion() -> None:
    made = refill()
    assert made.first(0) == MOST_AT_ONCE
    made.held = 18000
    assert made.first(500) == 1500
    assert made.first(2500) == 10
    assert refill(default_recipient_limit="70").first(0) == 70


def test_more_are_read_when_few_are_left() -> None:
    made = refill()
    made.held = 5000
    assert made.next(message(5000, 5000), 1.0) == 0
    assert made.next(message(2501, 5000), 1.0) == 0
    assert made.next(message(2500, 5000), 1.0) == MOST_AT_ONCE
    assert made.next(message(100, 100), 1.0) == MOST_AT_ONCE


def test_more_are_read_after_a_while() -> None:
    made = refill()
    assert made.next(message(4000, 5000, read_at=10.0), 14.9) == 0
    assert made.next(message(4000, 5000, read_at=10.0), 15.0) == MOST_AT_ONCE


def test_the_limit_of_all_messages() -> None:
    made = refill(1000)
    made.held = 990
    assert made.next(message(100, 1000), 1.0) == 0
    made.held = 800
    assert made.next(message(100, 1000), 1.0) == 200
    made.held = 1000
    assert made.next(message(0, 1000), 1.0) == 10
    assert made.next(message(4, 1000), 100.0) == 6
    assert made.next(message(10, 1000), 100.0) == 0


def test_the_limits_of_transports() -> None:
    made = refill()
    memory = RecipientMemory(limit=300, extra=50, refill_limit=20, refill_delay=3)
    assert made.next(message(10, 300, jobs={transport(100, memory): None}), 1.0) == 200
    assert made.next(message(10, 300, jobs={transport(285, memory): None}), 1.0) == 0
    assert made.next(message(10, 300, jobs={transport(285, memory): None}), 3.0) == 15
    assert made.next(message(10, 300, jobs={transport(310, memory): None}), 3.0) == 40
    assert made.next(message(10, 300, jobs={transport(900, memory): None}), 3.0) == 0
