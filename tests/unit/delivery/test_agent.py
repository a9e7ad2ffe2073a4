"""What each delivery agent does with requests, good and bad; discard(8) stands for all."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.daemons.discard import daemon as discard
from pyfix.daemons.virtual import daemon as virtual
from pyfix.formats.attributes import decode_pairs
from pyfix.protocols.internal.standing import STAYS
from pyfix.tables.build import build_table
from tests.unit.daemons.requests import Queued, Recorder, answer, bounce_service, deliver, is_final, queued
from tests.unit.daemons.running import Running, System, running


@pytest.fixture
def daemon(system: System) -> Iterator[Running]:
    with running(discard.main, system, "discard") as found:
        yield found


@pytest.fixture
def message(system: System) -> Queued:
    return queued(system, "a@x.example", "b@x.example")


def test_a_request_in_pieces(daemon: Running, message: Queued) -> None:
    """Postfix's qmgr waits for the greeting; and a socket cuts where it likes."""
    data = message.encode()
    for cut in (1, 5, 50, len(data) - 60, len(data) - 1):
        client = daemon.connect()
        client.socket.sendall(data[:cut])
        assert client.receive() == [("protocol", "delivery_request_protocol")]
        client.socket.sendall(data[cut:])
        reply = client.receive()
        assert is_final(reply)


def test_the_form_of_postfix_3_7(daemon: Running, message: Queued) -> None:
    client = daemon.connect()
    client.socket.sendall(message.encode().replace(b"sendopts\0", b"smtputf8\0"))
    assert is_final(answer(client))
    assert message.recipients_left() == []


def test_attributes_in_another_order(daemon: Running, message: Queued) -> None:
    """What is not quite as we write it is read the long way; a name too many does not matter."""
    data = message.encode().replace(b"rewrite_context\0", b"something_new\0x\0rewrite_context\0")
    client = daemon.connect()
    client.socket.sendall(data)
    assert is_final(answer(client))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"nexthop": ""}, "empty nexthop hostname"),
        ({"queue_name": "hold"}, "bad queue name: hold"),
        ({"queue_name": "../active"}, "bad queue name: ../active"),
        ({"queue_id": "../x"}, "bad queue id: ../x"),
        ({"queue_id": ""}, "bad queue id: "),
    ],
)
def test_refused_requests(daemon: Running, message: Queued, changes: dict[str, str], line: str) -> None:
    """No reply at all: qmgr(8) takes the agent for broken and keeps the message."""
    assert deliver(daemon, message.changed(**changes)) is None
    assert f"discard: warning: {line}" in daemon.system.logged("warning")
    assert message.recipients_left() == ["a@x.example", "b@x.example"]
    assert is_final(deliver(daemon, message)), "the next request is served"


def test_several_requests_on_one_connection(daemon: Running) -> None:
    """As our qmgr sends them."""
    client = daemon.connect()
    for number in range(3):
        message = queued(daemon.system, "a@x.example", queue_id=f"ABC12{number}")
        client.socket.sendall(message.encode() + (b"" if number else STAYS))
        assert number or client.receive() == [("protocol", "delivery_request_protocol")]
        assert is_final(client.receive())
        assert number or client.receive() == decode_pairs(STAYS)
        assert message.recipients_left() == []


def test_a_later_request_in_pieces(daemon: Running, message: Queued) -> None:
    client = daemon.connect()
    client.socket.sendall(message.encode() + STAYS)
    assert client.receive() == [("protocol", "delivery_request_protocol")]
    assert is_final(client.receive())
    assert client.receive() == decode_pairs(STAYS)
    message = queued(daemon.system, "a@x.example", queue_id="ABC124")
    client.socket.sendall(message.encode()[:100])
    assert is_final(deliver(daemon, queued(daemon.system, "b@x.example", queue_id="ABC125"))), "others are served"
    client.socket.sendall(message.encode()[100:])
    assert is_final(client.receive())


def test_a_request_that_comes_too_late_is_not_read(daemon: Running, message: Queued) -> None:
    """The process ends: its client learns that nobody has begun with the request."""
    client = daemon.connect()
    client.socket.sendall(message.encode() + STAYS)
    assert client.receive() == [("protocol", "delivery_request_protocol")]
    assert is_final(client.receive())
    assert client.receive() == decode_pairs(STAYS)
    os.kill(daemon.pid, signal.SIGSTOP)
    daemon.master_goes()
    client.socket.sendall(message.encode())
    os.kill(daemon.pid, signal.SIGCONT)
    with pytest.raises(ConnectionResetError):
        client.receive()


def test_a_request_of_a_client_that_left_before_the_process_started_is_not_served(system: System) -> None:
    """As with Postfix, whose qmgr sends nothing before the agent greets it: the next qmgr(8) gives the message out again."""
    ids = ("ABC123", "ABC124", "ABC125")
    left, closing, waiting = (queued(system, "a@x.example", queue_id=queue_id) for queue_id in ids)
    with running(discard.main, system, "discard") as daemon:
        os.kill(daemon.pid, signal.SIGSTOP)
        client = daemon.connect()
        client.socket.sendall(left.encode() + STAYS)
        client.close()
        half_closed = daemon.connect()
        half_closed.socket.sendall(closing.encode())
        half_closed.socket.shutdown(socket.SHUT_WR)
        stays = daemon.connect()
        stays.socket.sendall(waiting.encode())
        os.kill(daemon.pid, signal.SIGCONT)
        assert is_final(answer(half_closed)) and is_final(answer(stays))
        assert left.recipients_left() == ["a@x.example"]
        assert closing.recipients_left() == waiting.recipients_left() == []
    assert not [line for line in system.lines if "ABC123" in line or "warning" in line]


def test_a_client_that_does_not_ask_for_it_has_one_request(daemon: Running, message: Queued) -> None:
    """Postfix's qmgr closes its end when it has the answer."""
    client = daemon.connect()
    client.socket.sendall(message.encode())
    assert client.receive() == [("protocol", "delivery_request_protocol")]
    assert is_final(client.receive())
    assert client.receive() is None


def test_no_recipients(daemon: Running, message: Queued) -> None:
    client = daemon.connect()
    client.socket.sendall(message.changed(recipient_count=0).request.encode())
    assert client.receive() in (None, [("protocol", "delivery_request_protocol")])
    assert "ABC123: no recipients in delivery request for destination x.example" in daemon.system.logged("warning")[-1]


@pytest.mark.parametrize("cut", [0, 10, 500])
def test_a_client_that_vanishes(daemon: Running, message: Queued, cut: int) -> None:
    client = daemon.connect()
    client.socket.sendall(message.encode()[:cut])
    client.close()
    assert is_final(deliver(daemon, message))


def test_nonsense(daemon: Running, message: Queued) -> None:
    client = daemon.connect()
    client.socket.sendall(b"flags\0zero\0\0")
    client.receive()
    assert client.receive() is None
    assert daemon.system.logged("warning: delivery request: ")
    assert is_final(deliver(daemon, message))


def test_a_file_that_is_gone(daemon: Running, message: Queued) -> None:
    message.path.unlink()
    assert not is_final(deliver(daemon, message))
    assert "discard: warning: open active ABC123: No such file or directory" in daemon.system.logged("warning")


def test_a_file_that_somebody_else_works_on(daemon: Running, message: Queued) -> None:
    with message.path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not is_final(deliver(daemon, message))
        assert daemon.system.logged("warning")[-1].startswith("discard: warning: shared lock ABC123: ")
    assert message.recipients_left() == ["a@x.example", "b@x.example"]


def test_a_damaged_file(daemon: Running, message: Queued) -> None:
    os.truncate(message.path, 20)
    client = daemon.connect()
    client.socket.sendall(message.encode())
    answer(client)
    client.close()
    fresh = queued(daemon.system, "a@x.example", queue_id="ABC124")
    assert is_final(deliver(daemon, fresh)), "the process is still there"


def test_probes_go_to_verify(system: System) -> None:
    verify = Recorder(system, "private/verify", "address_verification_prrotocol")
    with running(discard.main, system, "discard") as daemon:
        message = queued(system, "a@x.example").changed(flags=1 | 256)
        assert is_final(deliver(daemon, message))
    told = verify.next()
    assert (told["request"], told["address"], told["recipient_status"]) == ("update", "a@x.example", "0")
    assert system.logged("status=")[-1].endswith("status=deliverable (x.example)")


def test_a_report_of_success_goes_to_trace_first(system: System) -> None:
    trace = bounce_service(system, "trace")
    with running(discard.main, system, "discard") as daemon:
        message = queued(system, "a@x.example").changed(flags=1 | 1024)
        assert is_final(deliver(daemon, message))
    assert trace.next()["action"] == "delivered"


def test_many_at_a_time(daemon: Running) -> None:
    messages = [queued(daemon.system, "a@x.example", queue_id=f"ABC{number}") for number in range(150)]
    clients = [daemon.connect() for _ in messages]
    for client, message in zip(clients, messages, strict=True):
        client.socket.sendall(message.encode())
    assert all(is_final(answer(client)) for client in clients)
    assert all(message.recipients_left() == [] for message in messages)


def test_tables_that_change_end_the_process(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """virtual(8) watches its tables; the client that is there is served, and no more come."""
    monkeypatch.setattr("pyfix.delivery.agent._LOOK_EVERY", 0.0)
    table = system.folder / "mailboxes"
    build_table("hash", str(table), [("a@x.example", "box/")])
    Path(f"{table}.db").chmod(0o644)
    system.write_main(
        virtual_mailbox_maps=f"hash:{table}", virtual_mailbox_base=system.folder, virtual_uid_maps="static:65534",
        virtual_gid_maps="static:65534", virtual_mailbox_domains="x.example",
    )  # fmt: skip
    bounce_service(system, "bounce")
    with running(virtual.main, system, "virtual") as daemon:
        assert is_final(deliver(daemon, queued(system, "b@x.example")))
        build_table("hash", str(table), [("a@x.example", "other/")])
        assert is_final(deliver(daemon, queued(system, "b@x.example")))
        assert daemon.wait() == 0
    assert any("has changed -- restarting" in line for line in system.logged("restarting"))
