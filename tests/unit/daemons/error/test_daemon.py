"""error(8) and retry(8); parity is in tests/parity/delivery."""

from __future__ import annotations

import pytest

from pyfix.daemons.error import daemon as error
from tests.unit.daemons.requests import bounce_service, deliver, is_final, queued
from tests.unit.daemons.running import System, running, start


@pytest.mark.parametrize(
    ("nexthop", "code", "text"),
    [("5.1.6 has moved", "5.1.6", "has moved"), ("mailbox gone", "5.0.0", "mailbox gone"), ("4.1.1 x", "5.0.0", "x")],
)
def test_error_bounces(system: System, nexthop: str, code: str, text: str) -> None:
    bounce = bounce_service(system, "bounce")
    with running(error.main, system, "error") as daemon:
        message = queued(system, "a@x.example", nexthop=nexthop)
        assert is_final(deliver(daemon, message))
        told = bounce.next()
    assert (told["nrequest"], told["queue_id"], told["recipient"]) == ("0", "ABC123", "a@x.example")
    assert (told["status"], told["action"], told["reason"]) == (code, "failed", text)
    assert message.recipients_left() == []
    assert system.logged("status=")[-1].endswith(f", dsn={code}, status=bounced ({text})")


@pytest.mark.parametrize(("nexthop", "code", "text"), [("4.3.0 later", "4.3.0", "later"), ("x", "4.0.0", "x")])
def test_retry_defers(system: System, nexthop: str, code: str, text: str) -> None:
    defer = bounce_service(system, "defer")
    with running(error.main, system, "retry") as daemon:
        message = queued(system, "a@x.example", nexthop=nexthop)
        assert not is_final(deliver(daemon, message))
        told = defer.next()
    assert (told["status"], told["action"], told["reason"]) == (code, "delayed", text)
    assert message.recipients_left() == ["a@x.example"]
    assert system.logged("status=")[-1].endswith(f", dsn={code}, status=deferred ({text})")


def test_other_names_are_refused(system: System) -> None:
    """Under a name that it does not know it could not tell failure from delay."""
    assert start(error.main, system, "other").wait() == 1
    assert "error: fatal: bad error service name: other" in system.logged("fatal")


def test_the_name_of_the_error_service_may_be_another(system: System) -> None:
    system.write_main(error_service_name="failure")
    bounce = bounce_service(system, "bounce")
    with running(error.main, system, "failure") as daemon:
        assert is_final(deliver(daemon, queued(system, "a@x.example", nexthop="5.1.1 no")))
    assert bounce.next()["status"] == "5.1.1"
