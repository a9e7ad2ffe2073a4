"""How requests reach delivery agents, and what is done when those fail."""

from __future__ import annotations

import threading
import time

import pytest

from pyfix.protocols.internal.delivery import STATUS_DEFER, DeliveryReply, DeliveryRequest
from tests.unit.daemons.qmgr.managing import deferred, managing, put, soon, wake
from tests.unit.daemons.requests import Agent
from tests.unit.daemons.running import System
from tests.unit.daemons.services import Rewrite

LATER = DeliveryReply(status=STATUS_DEFER)
SITE_DOWN = DeliveryReply("4.4.1", "", "", "", "", "delayed", "connect to y.example: Connection refused", STATUS_DEFER)


def retry(system: System) -> Agent:
    return Agent(system, "retry", lambda _request: LATER)


def test_a_transport_that_is_not_there(system: System) -> None:
    """retry(8) puts its mail off, with the reason."""
    Rewrite(system)
    agent = retry(system)
    for number in range(3):
        put(system, "a@y.example", queue_id=f"ABC{number}")
    with managing(system):
        assert {agent.next()[0].nexthop for _ in range(3)} == {"4.3.0 mail transport unavailable"}
        lines = system.logged("connect to transport")
        assert "qmgr: warning: connect to transport private/smtp: No such file or directory" in lines
        soon(lambda: len(list((system.queue / "deferred/A").iterdir())) == 3)


def test_a_destination_that_is_down(system: System) -> None:
    """What else waits for it goes to retry(8), and other destinations go on."""
    Rewrite(system)
    agent = retry(system)
    smtp = Agent(system, "smtp", lambda request: SITE_DOWN if request.nexthop == "y.example" else DeliveryReply())
    main = {"default_destination_concurrency_failed_cohort_limit": "1", "initial_destination_concurrency": "1"}
    put(system, "a@y.example", queue_id="ABC1")
    with managing(system, **main) as daemon:
        smtp.next()
        soon(deferred(system, "ABC1").exists)
        put(system, "a@y.example", queue_id="ABC2")
        put(system, "a@z.example", queue_id="ABC3")
        wake(daemon)
        request, _recipients = agent.next()
        assert request.nexthop == "4.4.1 delivery temporarily suspended: connect to y.example: Connection refused"
        assert smtp.next()[0].nexthop == "z.example"
        system.logged("ABC3: removed")


def test_a_flush_gives_a_dead_destination_another_chance(system: System) -> None:
    Rewrite(system)
    retry(system)
    smtp = Agent(system, "smtp", lambda _request: SITE_DOWN)
    main = {"default_destination_concurrency_failed_cohort_limit": "1", "initial_destination_concurrency": "1"}
    put(system, "a@y.example", queue_id="ABC1")
    with managing(system, **main) as daemon:
        smtp.next()
        soon(deferred(system, "ABC1").exists)
        wake(daemon, b"FADI")
        assert smtp.next()[0].queue_id == "ABC1"


@pytest.mark.parametrize("behaviour", ["silent", "nonsense"])
def test_an_agent_that_dies(system: System, behaviour: str) -> None:
    Rewrite(system)
    smtp = Agent(system, "smtp", lambda _request: None)
    put(system, "a@y.example")
    with managing(system):
        smtp.next()
        soon(deferred(system).exists)
        assert "qmgr: warning: private/smtp socket: malformed response" in system.logged("malformed")


def test_concurrency(system: System) -> None:
    """A destination gets no more requests at a time than it may."""
    Rewrite(system)
    lock, now, most = threading.Lock(), [0], [0]
    go = threading.Event()

    def count(_request: DeliveryRequest) -> DeliveryReply:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        go.wait(10)
        with lock:
            now[0] -= 1
        return DeliveryReply()

    agent = Agent(system, "smtp", count)
    for number in range(8):
        put(system, "a@y.example", queue_id=f"ABC{number}")
    with managing(system, default_destination_concurrency_limit="3", initial_destination_concurrency="3"):
        for _ in range(3):
            agent.next()
        go.set()
        for number in range(8):
            system.logged(f"ABC{number}: removed")
    assert most[0] == 3


def test_recipients_of_one_request(system: System) -> None:
    Rewrite(system)
    agent = Agent(system, "smtp")
    put(system, *(f"user{number}@y.example" for number in range(7)))
    with managing(system, smtp_destination_recipient_limit="3"):
        system.logged("removed")
    assert sorted(len(agent.next()[1]) for _ in range(3)) == [1, 3, 3]


def test_no_retry_service_either(system: System) -> None:
    """Nobody is left to tell why, and the message stays."""
    Rewrite(system)
    put(system, "a@y.example")
    with managing(system):
        system.logged("connect to transport private/retry")
        soon(deferred(system).exists, system.lines)


def test_a_pause_before_each_delivery_of_a_transport(system: System) -> None:
    """The first one, too, whatever their destinations; others of another transport do not wait."""
    Rewrite(system)
    smtp = Agent(system, "smtp", lambda _request: DeliveryReply())
    for number in range(3):
        put(system, f"a@y{number}.example", queue_id=f"ABC{number}")
    with managing(system, smtp_transport_rate_delay="1"):
        start = time.monotonic()
        for _ in range(3):
            smtp.next()
        assert time.monotonic() - start > 2.9
