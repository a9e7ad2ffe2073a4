"""verify(8): what smtpd(8) is told at once, which probes go out, and what is remembered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyfix.daemons.verify import daemon as verify
from tests.unit.daemons.running import Pair, Running, System, running
from tests.unit.daemons.services import Cleanup

PROTOCOL = "address_verification_prrotocol"
OK, DEFERRED, BOUNCED, UNKNOWN = "0123"
IN_PROGRESS = [("status", "0"), ("recipient_status", UNKNOWN), ("reason", "Address verification in progress")]
DONE, BAD = [("status", "0")], [("status", "4294967294")]


def known(status: str, reason: str) -> list[Pair]:
    return [("status", "0"), ("recipient_status", status), ("reason", reason)]


@pytest.fixture
def probes(system: System) -> Cleanup:
    """The cleanup(8) that gets the probes."""
    return Cleanup(system)


@pytest.fixture
def daemon(system: System, probes: Cleanup) -> Iterator[Running]:
    system.write_main(address_verify_map="")
    with running(verify.main, system, "verify", "-l") as found:
        yield found


def ask(daemon: Running, kind: str, **values: str) -> list[Pair] | None:
    client = daemon.greeted(PROTOCOL)
    try:
        return client.ask(("request", kind), *values.items())
    finally:
        client.close()


def update(daemon: Running, status: str, reason: str, address: str = "a@x.example") -> list[Pair] | None:
    return ask(daemon, "update", address=address, recipient_status=status, reason=reason)


def test_an_unknown_address_is_probed_once(daemon: Running, probes: Cleanup) -> None:
    for _ in range(3):
        assert ask(daemon, "query", address="a@x.example") == IN_PROGRESS
    records = probes.next().records
    assert ("S", b"double-bounce@mail.ours.example") in records
    assert ("R", b"a@x.example") in records
    assert ("A", b"trace_flags=256") in records
    assert [kind for kind, _data in records][-2:] == ["X", "E"]
    assert ask(daemon, "query", address="b@x.example") == IN_PROGRESS
    assert probes.next().values("R") == ["b@x.example"]
    assert probes.is_silent


@pytest.mark.parametrize(("status", "reason"), [(OK, "delivers to mailbox"), (DEFERRED, "try later"), (BOUNCED, "no such user")])
def test_results_are_remembered(daemon: Running, probes: Cleanup, status: str, reason: str) -> None:
    assert update(daemon, status, reason) == DONE
    assert ask(daemon, "query", address="a@x.example") == known(status, reason)
    assert probes.is_silent


def test_a_good_address_is_not_spoilt_by_one_failure(daemon: Running) -> None:
    update(daemon, OK, "fine")
    assert update(daemon, BOUNCED, "gone") == DONE
    assert ask(daemon, "query", address="a@x.example") == known(OK, "fine")
    update(daemon, BOUNCED, "gone", "b@x.example")
    update(daemon, OK, "fine", "b@x.example")
    assert ask(daemon, "query", address="b@x.example") == known(OK, "fine")


@pytest.mark.parametrize("status", [UNKNOWN, "4", "17"])
def test_results_without_sense(daemon: Running, status: str) -> None:
    assert update(daemon, status, "x") == BAD
    assert ask(daemon, "query", address="a@x.example") == IN_PROGRESS


def test_an_unknown_request(daemon: Running) -> None:
    assert daemon.greeted(PROTOCOL).ask(("request", "dance")) == BAD
    assert 'verify: warning: unrecognized request: "dance", ignored' in daemon.system.logged("unrecognized")


@pytest.mark.parametrize(
    ("pairs", "warning"),
    [
        ([("request", "query")], "missing attribute address in input from verify socket"),
        ([("request", "query"), ("x", "y")], "unexpected attribute x from verify socket (expecting: address)"),
        ([("x", "y")], "unexpected attribute x from verify socket (expecting: request)"),
        ([], "missing attribute request in input from verify socket"),
    ],
)
def test_what_is_malformed_ends_the_connection(daemon: Running, pairs: list[Pair], warning: str) -> None:
    assert daemon.greeted(PROTOCOL).ask(*pairs) is None
    assert f"verify: warning: {warning}" in daemon.system.logged("attribute")


def test_what_is_known_outlasts_the_process(system: System, probes: Cleanup) -> None:
    system.write_main(address_verify_map=f"btree:{system.data}/verify")
    with running(verify.main, system, "verify", "-l") as daemon:
        update(daemon, BOUNCED, "no such user: x:y")
    with running(verify.main, system, "verify", "-l") as daemon:
        assert ask(daemon, "query", address="a@x.example") == known(BOUNCED, "no such user: x:y")
    system.logged("full cleanup: retained=1 dropped=0 entries")


def test_a_cleanup_that_is_gone_is_not_the_clients_trouble(system: System) -> None:
    system.write_main(address_verify_map="")
    with running(verify.main, system, "verify", "-l") as daemon:
        assert ask(daemon, "query", address="a@x.example") == IN_PROGRESS
        assert update(daemon, OK, "fine") == DONE


@pytest.mark.parametrize(
    ("main", "sender"),
    [
        ({"address_verify_sender": "<>"}, ""),
        ({"address_verify_sender": ""}, ""),
        ({"address_verify_sender": "probe", "myorigin": "o.example"}, "probe@o.example"),
        ({"address_verify_sender": "p@q.example"}, "p@q.example"),
    ],
)
def test_sender(system: System, probes: Cleanup, main: dict[str, str], sender: str) -> None:
    system.write_main(address_verify_map="", **main)
    with running(verify.main, system, "verify", "-l") as daemon:
        ask(daemon, "query", address="a@x.example")
        assert probes.next().values("S") == [sender]


def test_the_sender_changes_with_time(system: System, probes: Cleanup) -> None:
    system.write_main(address_verify_map="", address_verify_sender="p@q.example", address_verify_sender_ttl="1d")
    with running(verify.main, system, "verify", "-l") as daemon:
        ask(daemon, "query", address="a@x.example")
        (sender,) = probes.next().values("S")
    assert sender.startswith("p") and sender.endswith("@q.example") and len(sender) > len("p@q.example")
