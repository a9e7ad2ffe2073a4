"""What becomes of a message when all its recipients were tried."""

from __future__ import annotations

import time

import pytest

from pyfix.formats.queuefile import NOTIFY_SUCCESS
from pyfix.formats.records import VERP, WARN, encode_record
from pyfix.protocols.internal.delivery import STATUS_DEFER, DeliveryReply
from tests.unit.daemons.qmgr.managing import deferred, due, managing, put, soon
from tests.unit.daemons.requests import Agent, bounce_service
from tests.unit.daemons.running import System
from tests.unit.daemons.services import Rewrite

LATER = DeliveryReply(status=STATUS_DEFER)
FLUSH, WARNING, TRACE = "1", "2", "5"


def later(system: System) -> None:
    Rewrite(system)
    Agent(system, "smtp", lambda _request: LATER)


@pytest.mark.parametrize(("age", "wait"), [(0, 300), (1000, 1000), (100000, 4000)])
def test_the_next_try(system: System, age: int, wait: int) -> None:
    """As old as the message is, within limits."""
    later(system)
    put(system, "a@y.example", created=int(time.time()) - age)
    with managing(system):
        soon(deferred(system).exists)
    assert abs(due(deferred(system)) - wait) < 30


def test_a_message_that_has_waited_long_enough(system: System) -> None:
    later(system)
    defer = bounce_service(system, "defer")
    put(system, "a@y.example", created=int(time.time()) - 6 * 86400)
    with managing(system):
        told = defer.next()
        assert (told["nrequest"], told["queue_name"], told["queue_id"], told["flags"]) == (FLUSH, "active", "ABC123", "2")
        lines = system.logged("removed")
    assert "qmgr: ABC123: from=<s@x.example>, status=expired, returned to sender" in lines


def test_a_notice_waits_less_long(system: System) -> None:
    later(system)
    bounce_service(system, "defer")
    put(system, "a@y.example", sender="", created=int(time.time()) - 2 * 86400)
    with managing(system, bounce_queue_lifetime="1d"):
        assert "qmgr: ABC123: from=<>, status=expired, returned to sender" in system.logged("removed")


def test_a_sender_that_cannot_be_told_keeps_its_message(system: System) -> None:
    later(system)
    bounce_service(system, "defer", status=-1)
    put(system, "a@y.example", created=int(time.time()) - 6 * 86400)
    with managing(system):
        soon(deferred(system).exists)
    assert due(deferred(system)) > 100


def test_failures_are_told_of_at_once(system: System) -> None:
    Rewrite(system)
    bounce = bounce_service(system, "bounce")

    def fail(_request: object) -> DeliveryReply:
        (system.queue / "bounce/ABC123").touch()
        return DeliveryReply()

    Agent(system, "smtp", fail)
    put(system, "a@y.example")
    with managing(system):
        told = bounce.next()
        assert (told["nrequest"], told["sender"], told["flags"]) == (FLUSH, "s@x.example", "0")
        system.logged("removed")


def test_failures_one_by_one(system: System) -> None:
    Rewrite(system)
    bounce = bounce_service(system, "bounce")

    def fail(_request: object) -> DeliveryReply:
        (system.queue / "bounce/ABC123").touch()
        return DeliveryReply()

    Agent(system, "smtp", fail)
    put(system, "a@y.example", extra=encode_record(VERP, b"+="))
    with managing(system):
        told = bounce.next()
        assert (told["nrequest"], told["verp_delimiters"]) == ("3", "+=")
        system.logged("removed")


def test_a_bounce_that_fails_defers_the_message(system: System) -> None:
    Rewrite(system)
    bounce_service(system, "bounce", status=-1)

    def fail(_request: object) -> DeliveryReply:
        (system.queue / "bounce/ABC123").touch()
        return DeliveryReply()

    Agent(system, "smtp", fail)
    put(system, "a@y.example")
    with managing(system):
        soon(deferred(system).exists)


@pytest.mark.parametrize(("in_seconds", "told"), [(-10, True), (1000, False)])
def test_delay_notices(system: System, in_seconds: int, told: bool) -> None:
    later(system)
    defer = bounce_service(system, "defer")
    record = encode_record(WARN, b"%15d" % (int(time.time()) + in_seconds))
    put(system, "a@y.example", extra=record)
    with managing(system, delay_warning_time="1h"):
        if told:
            assert defer.next()["nrequest"] == WARNING
        soon(deferred(system).exists)
    assert defer.is_silent
    assert (record not in deferred(system).read_bytes()) is told, "it is sent once"


def test_reports_of_success(system: System) -> None:
    Rewrite(system)
    trace = bounce_service(system, "trace")
    Agent(system, "smtp")
    put(system, "a@y.example", flags=NOTIFY_SUCCESS << 1)
    with managing(system):
        assert trace.next()["nrequest"] == TRACE
        system.logged("removed")
