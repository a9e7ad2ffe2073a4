"""verify(8): what smtpd(8) is told at once, which probes go out, and what is remembered."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator

import pytest

from pyfix.daemons.verify import daemon as verify
from pyfix.formats.attributes import encode_pairs
from pyfix.formats.records import read_records
from tests.unit.daemons.running import Pair, Running, System, running

PROTOCOL = "address_verification_prrotocol"
OK, DEFERRED, BOUNCED, UNKNOWN = "0123"
IN_PROGRESS = [("status", "0"), ("recipient_status", UNKNOWN), ("reason", "Address verification in progress")]
DONE, BAD = [("status", "0")], [("status", "4294967294")]


def known(status: str, reason: str) -> list[Pair]:
    return [("status", "0"), ("recipient_status", status), ("reason", reason)]


@pytest.fixture
def probes(system: System) -> queue.Queue[bytes]:
    """What cleanup(8) gets: the flags and all records."""
    found: queue.Queue[bytes] = queue.Queue()

    def cleanup(connection: socket.socket) -> None:
        connection.sendall(encode_pairs([("protocol", "cleanup_protocol"), ("queue_id", "ABC123")]))
        data = b""
        while not data.endswith(b"E\0"):
            data += connection.recv(65536)
        connection.sendall(encode_pairs([("status", "0"), ("reason", "")]))
        found.put(data)

    system.serve("public/cleanup", cleanup)
    return found


@pytest.fixture
def daemon(system: System, probes: queue.Queue[bytes]) -> Iterator[Running]:
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


def test_an_unknown_address_is_probed_once(daemon: Running, probes: queue.Queue[bytes]) -> None:
    for _ in range(3):
        assert ask(daemon, "query", address="a@x.example") == IN_PROGRESS
    data = probes.get(timeout=10)
    flags, _, rest = data.partition(b"\0\0")
    assert flags.startswith(b"flags\0")
    records = [(chr(record.kind), record.data) for record in read_records(rest)]
    assert ("S", b"double-bounce@mail.ours.example") in records
    assert ("R", b"a@x.example") in records
    assert ("A", b"trace_flags=256") in records
    assert [kind for kind, _data in records][-2:] == ["X", "E"]
    assert ask(daemon, "query", address="b@x.example") == IN_PROGRESS
    assert b"b@x.example" in probes.get(timeout=10)
    assert probes.empty()


@pytest.mark.parametrize(("status", "reason"), [(OK, "delivers to mailbox"), (DEFERRED, "try later"), (BOUNCED, "no such user")])
def test_results_are_remembered(daemon: Running, probes: queue.Queue[bytes], status: str, reason: str) -> None:
    assert update(daemon, status, reason) == DONE
    assert ask(daemon, "query", address="a@x.example") == known(status, reason)
    assert probes.empty()


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


def test_what_is_known_outlasts_the_process(system: System, probes: queue.Queue[bytes]) -> None:
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
        ({"address_verify_sender": "<>"}, b""),
        ({"address_verify_sender": ""}, b""),
        ({"address_verify_sender": "probe", "myorigin": "o.example"}, b"probe@o.example"),
        ({"address_verify_sender": "p@q.example"}, b"p@q.example"),
    ],
)
def test_sender(system: System, probes: queue.Queue[bytes], main: dict[str, str], sender: bytes) -> None:
    system.write_main(address_verify_map="", **main)
    with running(verify.main, system, "verify", "-l") as daemon:
        ask(daemon, "query", address="a@x.example")
        records = read_records(probes.get(timeout=10).partition(b"\0\0")[2])
        assert [record.data for record in records if chr(record.kind) == "S"] == [sender]


def test_the_sender_changes_with_time(system: System, probes: queue.Queue[bytes]) -> None:
    system.write_main(address_verify_map="", address_verify_sender="p@q.example", address_verify_sender_ttl="1d")
    with running(verify.main, system, "verify", "-l") as daemon:
        ask(daemon, "query", address="a@x.example")
        records = read_records(probes.get(timeout=10).partition(b"\0\0")[2])
        (sender,) = [record.data for record in records if chr(record.kind) == "S"]
    assert sender.startswith(b"p") and sender.endswith(b"@q.example") and len(sender) > len(b"p@q.example")
