"""qmgr(8) as a process: scans, recipients and their ways; parity is in tests/parity/qmgr."""

from __future__ import annotations

import threading

import pytest

from pyfix.daemons.qmgr import daemon as qmgr
from pyfix.formats.records import encode_attribute
from pyfix.protocols.internal.delivery import STATUS_DEFER, DeliveryReply
from tests.unit.daemons.qmgr.managing import deferred, managing, put, set_time, soon, wake
from tests.unit.daemons.requests import Agent, bounce_service
from tests.unit.daemons.running import SECONDS, System, start
from tests.unit.daemons.services import Rewrite, Triggered


def test_a_message_is_delivered_and_removed(system: System) -> None:
    Rewrite(system)
    agent = Agent(system, "smtp")
    path = put(system, "a@y.example", "b@y.example")
    with managing(system):
        request, recipients = agent.next()
        assert (request.queue_name, request.queue_id, request.nexthop, request.sender) == ("active", "ABC123", "y.example", "s@x.example")
        assert recipients == ["a@y.example", "b@y.example"]
        lines = system.logged("removed")
    assert lines[-2:] == ["qmgr: ABC123: from=<s@x.example>, size=21, nrcpt=2 (queue active)", "qmgr: ABC123: removed"]
    assert not path.exists() and not list((system.queue / "active").iterdir())


def test_recipients_by_destination(system: System) -> None:
    Rewrite(system)
    smtp, local = Agent(system, "smtp"), Agent(system, "local")
    put(system, "a@y.example", "joe@mail.ours.example", "b@z.example", "c@y.example")
    with managing(system):
        found = sorted([smtp.next()[1], smtp.next()[1]])
        assert found == [["a@y.example", "c@y.example"], ["b@z.example"]]
        assert local.next()[1] == ["joe@mail.ours.example"]
        system.logged("removed")


def test_new_mail_is_taken_when_cleanup_says_so(system: System) -> None:
    Rewrite(system)
    agent = Agent(system, "smtp")
    with managing(system) as daemon:
        put(system, "a@y.example")
        wake(daemon)
        assert agent.next()[0].queue_id == "ABC123"


def test_the_next_queue_manager_is_woken(system: System) -> None:
    """One that ends when master(8) reloads may have read the wake-up that was meant for the next."""
    Rewrite(system)
    delivering = threading.Event()
    agent = Agent(system, "smtp", lambda _request: DeliveryReply() if delivering.wait(SECONDS) else None)
    next_one = Triggered(system, "public/qmgr")
    put(system, "a@y.example")
    with managing(system) as daemon:
        agent.next()
        wake(daemon, b"W")
        daemon.master_goes()
        assert next_one.next() == b"W"
        assert daemon.wait() == 0
        delivering.set()


def test_files_that_are_not_ready_stay(system: System) -> None:
    Rewrite(system)
    agent = Agent(system, "smtp")
    writing = put(system, "a@y.example", mode=0o600)
    later = put(system, "a@y.example", queue_id="ABC124")
    set_time(later, 1000)
    put(system, "a@y.example", queue_id="ABC125")
    with managing(system):
        assert agent.next()[0].queue_id == "ABC125"
        system.logged("removed")
    assert writing.exists() and later.exists() and agent.is_silent


def test_deferred_mail_is_tried_when_its_time_has_come(system: System) -> None:
    Rewrite(system)
    agent = Agent(system, "smtp")
    put(system, "a@y.example", queue="deferred")
    set_time(deferred(system), -10)
    put(system, "b@y.example", queue="deferred", queue_id="ABC124")
    set_time(deferred(system, "ABC124"), 1000)
    with managing(system) as daemon:
        assert agent.next()[1] == ["a@y.example"]
        system.logged("ABC123: removed")
        assert deferred(system, "ABC124").exists()
        wake(daemon, b"DA")
        assert agent.next()[1] == ["b@y.example"]
        system.logged("ABC124: removed")


def test_what_was_active_is_tried_again(system: System) -> None:
    Rewrite(system)
    agent = Agent(system, "smtp")
    put(system, "a@y.example", queue="active")
    with managing(system):
        assert agent.next()[1] == ["a@y.example"]
        system.logged("removed")


def test_damaged_files_are_kept_aside(system: System) -> None:
    Rewrite(system)
    agent = Agent(system, "smtp")
    put(system, "a@y.example").write_bytes(b"junk")
    put(system, "a@y.example", queue_id="ABC124")
    with managing(system):
        assert agent.next()[0].queue_id == "ABC124"
        lines = system.logged("saving corrupt")
        assert 'qmgr: warning: saving corrupt file "ABC123" from queue "active" to queue "corrupt"' in lines
        assert (system.queue / "corrupt/ABC123").exists()
        system.logged("removed")


def test_more_recipients_than_fit_into_memory(system: System) -> None:
    Rewrite(system)
    agent = Agent(system, "smtp")
    names = [f"user{number}@y.example" for number in range(250)]
    put(system, *names)
    main = {"qmgr_message_recipient_limit": "100", "qmgr_message_recipient_minimum": "10", "default_destination_recipient_limit": "30"}
    with managing(system, **main):
        system.logged("removed")
    found = []
    while not agent.is_silent:
        found += agent.next()[1]
    assert sorted(found) == sorted(names)


def test_an_address_that_cannot_be_routed_waits(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyfix.clients.resolve._PAUSE", 0.0)
    retry = Agent(system, "retry", lambda _request: DeliveryReply(status=STATUS_DEFER))
    put(system, "a@y.example")
    with managing(system):
        request, _recipients = retry.next()
        assert request.nexthop.startswith("4.3.0 ")
        soon(deferred(system).exists, system.lines)


def test_an_expired_message_is_not_tried(system: System) -> None:
    """postsuper -e: what the defer log says of it is told to its sender."""
    Rewrite(system)
    agent = Agent(system, "smtp")
    defer = bounce_service(system, "defer")
    put(system, "a@y.example", mode=0o710)
    (system.queue / "defer/A").mkdir()
    system.give(system.queue / "defer/A")
    (system.queue / "defer/A/ABC123").touch()
    with managing(system):
        told = defer.next()
        assert (told["nrequest"], told["queue_id"], told["flags"]) == ("1", "ABC123", "2")
        lines = system.logged("removed")
    assert "qmgr: ABC123: from=<s@x.example>, status=force-expired, returned to sender" in lines
    assert agent.is_silent


def test_trace_flags_go_to_the_agent(system: System) -> None:
    Rewrite(system)
    agent, trace = Agent(system, "smtp"), bounce_service(system, "trace")
    put(system, "a@y.example", extra=encode_attribute("trace_flags", "1024"))
    with managing(system):
        assert agent.next()[0].flags & 1024
        assert trace.next()["nrequest"] == "5"
        system.logged("removed")


def test_the_form_of_postfix_3_7(system: System) -> None:
    Rewrite(system)
    agent = Agent(system, "smtp")
    put(system, "a@y.example")
    with managing(system, pyfix_internal_protocol="3.7"):
        assert type(agent.next()[0]).__name__ == "DeliveryRequest37"
        system.logged("removed")


@pytest.mark.parametrize(
    ("main", "options", "text"),
    [
        ({"pyfix_internal_protocol": "2.0"}, ["-l"], "bad parameter value: pyfix_internal_protocol = 2.0"),
        ({}, [], "service qmgr requires a process limit of 1"),
    ],
)
def test_fatal_errors(system: System, main: dict[str, str], options: list[str], text: str) -> None:
    system.write_main(**main)
    assert start(qmgr.main, system, "qmgr", *options).wait() == 1
    assert f"qmgr: fatal: {text}" in system.logged("fatal")
