"""cleanup(8) as a process: many clients, one queue file each, and one word to qmgr(8)."""

from __future__ import annotations

import os
import queue
import select
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pyfix.daemons.cleanup import daemon as cleanup
from pyfix.protocols.internal.cleanup import NEXT_MESSAGE
from pyfix.runtime.child import FLOW_WRITE
from pyfix.tables.build import build_table
from tests.unit.daemons.running import Client, Running, System, running, start
from tests.unit.daemons.services import Rewrite

from .conftest import message, record, records

TEXT = message(b"From: a@b.example\nMessage-Id: <x@y>\nDate: now\n\nhello\n")


@pytest.fixture
def triggers(system: System) -> queue.Queue[bytes]:
    """What qmgr(8) is told."""
    found: queue.Queue[bytes] = queue.Queue()
    system.serve("public/qmgr", lambda connection: found.put(connection.recv(10)))
    return found


@pytest.fixture
def daemon(system: System, triggers: queue.Queue[bytes]) -> Iterator[Running]:
    Rewrite(system)
    system.write_main(in_flow_delay="0s")  # there is no qmgr here that takes mail away
    with running(cleanup.main, system, "cleanup", "-z") as found:
        yield found


def begin(daemon: Running, flags: int = 48) -> tuple[Client, str]:
    client = daemon.connect()
    greeting = client.receive()
    assert greeting is not None and greeting[0] == ("protocol", "cleanup_protocol") and greeting[1][0] == "queue_id"
    client.send(("flags", str(flags)))
    return client, greeting[1][1]


def submit(daemon: Running, text: bytes = TEXT, flags: int = 48) -> tuple[str, str]:
    client, queue_id = begin(daemon, flags)
    client.socket.sendall(text)
    reply = client.receive()
    assert reply is not None
    client.close()
    return dict(reply)["status"], queue_id


def test_a_message(daemon: Running, triggers: queue.Queue[bytes]) -> None:
    status, queue_id = submit(daemon)
    path = daemon.system.queue / "incoming" / queue_id
    assert status == "0" and path.stat().st_mode & 0o777 == 0o700
    if os.getuid() == 0:
        assert path.owner() == "nobody"
    assert triggers.get(timeout=10) == b"W"
    assert f"cleanup: {queue_id}: message-id=<x@y>" in daemon.system.logged(queue_id)


def test_several_messages_on_one_connection(daemon: Running) -> None:
    """A client that asks for it has its next queue id with the answer."""
    client, queue_id = begin(daemon)
    ids = []
    for _ in range(3):
        client.socket.sendall(TEXT + NEXT_MESSAGE)
        assert client.receive() == [("status", "0"), ("reason", "")]
        ids.append(queue_id)
        greeting = client.receive()
        assert greeting is not None
        queue_id = dict(greeting)["queue_id"]
        client.send(("flags", "48"))
    client.close()
    assert len({*ids, queue_id}) == 4
    assert sorted(os.listdir(daemon.system.queue / "incoming")) == sorted(ids)


def test_a_queue_id_that_is_not_used(daemon: Running) -> None:
    client, queue_id = begin(daemon)
    client.socket.sendall(TEXT + NEXT_MESSAGE)
    client.receive()
    unused = dict(client.receive() or [])["queue_id"]
    client.close()
    _, last = submit(daemon)
    assert sorted(os.listdir(daemon.system.queue / "incoming")) == sorted([queue_id, last])
    assert not [line for line in daemon.system.logged(last) if unused in line]


def test_a_queue_id_that_was_given_holds_although_the_process_ends(daemon: Running) -> None:
    client, _ = begin(daemon)
    client.socket.sendall(TEXT + NEXT_MESSAGE)
    client.receive()
    queue_id = dict(client.receive() or [])["queue_id"]
    daemon.master_goes()
    client.send(("flags", "48"))
    client.socket.sendall(TEXT + NEXT_MESSAGE)
    assert client.receive() == [("status", "0"), ("reason", "")]
    assert client.receive() is None
    assert queue_id in os.listdir(daemon.system.queue / "incoming")
    assert daemon.wait() == 0


def test_no_next_message_after_one_that_was_refused(daemon: Running) -> None:
    client, _ = begin(daemon)
    client.socket.sendall(b"X\0E\0" + NEXT_MESSAGE)
    status = client.receive()
    assert status is not None and status[0] != ("status", "0")
    assert client.receive() is None


def test_many_clients_at_a_time(daemon: Running, triggers: queue.Queue[bytes]) -> None:
    clients = [begin(daemon) for _ in range(30)]
    for client, _queue_id in clients:
        client.socket.sendall(TEXT[:30])
    for client, _queue_id in reversed(clients):
        client.socket.sendall(TEXT[30:])
    for client, queue_id in clients:
        assert client.receive() == [("status", "0"), ("reason", "")]
        assert (daemon.system.queue / "incoming" / queue_id).exists()
    assert triggers.get(timeout=10) == b"W"
    assert len({queue_id for _client, queue_id in clients}) == 30


def test_a_client_that_vanishes_leaves_nothing(daemon: Running) -> None:
    client, queue_id = begin(daemon)
    client.socket.sendall(TEXT[:-2])
    client.close()
    daemon.system.logged(f"{queue_id}: removed")
    assert list((daemon.system.queue / "incoming").iterdir()) == []
    assert submit(daemon)[0] == "0"


def test_a_qmgr_that_is_down_is_not_the_clients_trouble(system: System) -> None:
    Rewrite(system)
    with running(cleanup.main, system, "cleanup", "-z") as daemon:
        status, queue_id = submit(daemon)
        assert status == "0" and (system.queue / "incoming" / queue_id).exists()


def test_incomplete_addresses_are_asked_for(daemon: Running) -> None:
    _status, queue_id = submit(daemon, message(b"\nx\n", recipients=records(("R", "user"))))
    data = (daemon.system.queue / "incoming" / queue_id).read_bytes()
    assert record("R", "user@mail.ours.example") in data


def test_a_trivial_rewrite_that_is_gone(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyfix.clients.rewrite._PAUSE", 0.0)
    with running(cleanup.main, system, "cleanup", "-z") as daemon:
        status, queue_id = submit(daemon, message(b"\nx\n", recipients=records(("R", "user"))))
        assert status == "2"
        assert not (system.queue / "incoming" / queue_id).exists()
        assert "problem talking to service rewrite" in "\n".join(system.logged("warning"))


def test_long_queue_ids(system: System, triggers: queue.Queue[bytes]) -> None:
    Rewrite(system)
    system.write_main(enable_long_queue_ids="yes")
    with running(cleanup.main, system, "cleanup", "-z") as daemon:
        status, queue_id = submit(daemon)
    assert status == "0" and "z" in queue_id and len(queue_id) >= 12


def test_messages_that_are_too_large(system: System, triggers: queue.Queue[bytes]) -> None:
    Rewrite(system)
    system.write_main(message_size_limit="1000", mailbox_size_limit="0", virtual_mailbox_limit="0")
    with running(cleanup.main, system, "cleanup", "-z") as daemon:
        assert submit(daemon, message(b"\n" + b"x" * 900 + b"\n" + b"y" * 600 + b"\n"))[0] == "4"
        assert list((system.queue / "incoming").iterdir()) == []


def test_tables_that_change_end_the_process(
    system: System, triggers: queue.Queue[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "_LOOK_EVERY", 0.0)
    table = str(system.folder / "aliases")
    build_table("hash", table, [("user@ours.example", "other@x.example")])
    Path(f"{table}.db").chmod(0o644)
    system.write_main(virtual_alias_maps=f"hash:{table}")
    Rewrite(system)
    with running(cleanup.main, system, "cleanup", "-z") as daemon:
        _status, queue_id = submit(daemon)
        assert record("R", "other@x.example") in (system.queue / "incoming" / queue_id).read_bytes()
        build_table("hash", table, [("user@ours.example", "third@x.example")])
        with suppress(ConnectionError):  # it may have looked, and left, before; a client then waits in master's queue
            submit(daemon)
        assert daemon.wait() == 0
    assert any(f"table hash:{table}" in line and "has changed -- restarting" in line for line in system.logged("changed"))


def test_flow_tokens(system: System, triggers: queue.Queue[bytes]) -> None:
    """Without a token a client waits for in_flow_delay; what qmgr(8) does not get gives its token back."""
    system.write_main(in_flow_delay="0")
    Rewrite(system)
    with running(cleanup.main, system, "cleanup", "-z") as daemon:
        assert submit(daemon)[0] == "0"
        assert submit(daemon, flags=8)[0] == "0"


def test_a_client_waits_only_until_there_is_a_token(system: System, triggers: queue.Queue[bytes]) -> None:
    """What qmgr(8) puts in ends the pause of in_flow_delay."""
    system.write_main(in_flow_delay="10s")
    Rewrite(system)
    with running(cleanup.main, system, "cleanup", "-z") as daemon:
        client = daemon.connect()
        assert not select.select([client.socket], [], [], 0.1)[0]
        Path(f"/proc/{daemon.pid}/fd/{FLOW_WRITE}").write_bytes(b"\0")
        assert select.select([client.socket], [], [], 5)[0]
        greeting = client.receive()
        assert greeting is not None and greeting[0] == ("protocol", "cleanup_protocol")


@pytest.mark.parametrize(
    ("options", "main", "text"),
    [
        ([], {}, "service cleanup requires a process limit of 0"),
        (["-z"], {"header_from_format": "x"}, 'invalid setting: "header_from_format = x"'),
    ],
)
def test_fatal_errors(system: System, options: list[str], main: dict[str, str], text: str) -> None:
    system.write_main(**main)
    assert start(cleanup.main, system, "cleanup", *options).wait() == 1
    assert f"cleanup: fatal: {text}" in system.logged("fatal")


def test_a_silent_client_is_not_waited_for_for_ever(system: System, triggers: queue.Queue[bytes]) -> None:
    system.write_main(ipc_timeout="1s")
    Rewrite(system)
    with running(cleanup.main, system, "cleanup", "-z") as daemon:
        client, queue_id = begin(daemon)
        assert client.receive() in (None, [("status", "1"), ("reason", "")])
        assert f"cleanup: warning: {queue_id}: read timeout on cleanup socket" in system.logged("timeout")
