"""flush(8): which messages become due, and who is told; parity is in tests/parity/services/test_flush.py."""

from __future__ import annotations

import os
import queue
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.daemons.flush import daemon as flush
from tests.unit.daemons.running import Pair, Running, System, running

PROTOCOL = "queue_flush_protocol"
OK, BAD, DENIED = [("status", "0")], [("status", "3")], [("status", "4")]


@pytest.fixture
def triggers(system: System) -> queue.Queue[bytes]:
    """What qmgr(8) is told."""
    found: queue.Queue[bytes] = queue.Queue()
    system.serve("public/qmgr", lambda connection: found.put(connection.recv(10)))
    return found


@pytest.fixture
def daemon(system: System, triggers: queue.Queue[bytes]) -> Iterator[Running]:
    system.write_main(fast_flush_domains="x.example", hash_queue_names="active")
    with running(flush.main, system, "flush", "-z") as found:
        yield found


def ask(daemon: Running, *pairs: Pair) -> list[Pair] | None:
    client = daemon.greeted(PROTOCOL)
    try:
        return client.ask(*pairs)
    finally:
        client.close()


def add(daemon: Running, site: str, queue_id: str) -> list[Pair] | None:
    return ask(daemon, ("request", "add"), ("site", site), ("queue_id", queue_id))


def deferred(system: System, queue_id: str) -> Path:
    """Put a file into the deferred queue that is due in an hour."""
    path = system.queue / "deferred" / queue_id
    path.touch(0o700)
    path.chmod(0o700)
    system.give(path)
    os.utime(path, (time.time() + 3600,) * 2)
    return system.queue / "incoming" / queue_id


def test_a_site_is_flushed(daemon: Running, triggers: queue.Queue[bytes]) -> None:
    there = deferred(daemon.system, "ABC123")
    other = deferred(daemon.system, "ABC124")
    assert add(daemon, "x.example", "ABC123") == OK
    assert add(daemon, "x.example", "ABC125") == OK, "a message that is gone meanwhile"
    assert ask(daemon, ("request", "send_site"), ("site", "x.example")) == OK
    assert triggers.get(timeout=10) == b"I"
    assert abs(there.stat().st_mtime - time.time()) < 60
    assert not other.exists()


def test_a_message_is_flushed(daemon: Running, triggers: queue.Queue[bytes]) -> None:
    there = deferred(daemon.system, "ABC123")
    assert ask(daemon, ("request", "send_file"), ("queue_id", "ABC123")) == OK
    assert triggers.get(timeout=10) == b"I"
    assert there.exists()
    assert ask(daemon, ("request", "send_file"), ("queue_id", "ABC126")) == OK, "nobody is told of a message that is gone"


def test_sites_that_are_not_served(daemon: Running) -> None:
    assert add(daemon, "elsewhere.example", "ABC123") == DENIED
    assert ask(daemon, ("request", "send_site"), ("site", "elsewhere.example")) == DENIED
    assert ask(daemon, ("request", "send_site"), ("site", "[192.0.2.1]")) == DENIED
    assert add(daemon, "", "ABC123") == DENIED


@pytest.mark.parametrize("queue_id", ["", "../x", "a b", "x" * 300])
def test_bad_queue_ids(daemon: Running, queue_id: str) -> None:
    assert add(daemon, "x.example", queue_id) == BAD
    assert ask(daemon, ("request", "send_file"), ("queue_id", queue_id)) == BAD


def test_purge_flushes_all_sites(daemon: Running, triggers: queue.Queue[bytes]) -> None:
    there = deferred(daemon.system, "ABC123")
    add(daemon, "x.example", "ABC123")
    assert ask(daemon, ("request", "purge")) == OK
    assert triggers.get(timeout=10) == b"I"
    assert there.exists()


def test_a_refresh_leaves_fresh_sites_alone(daemon: Running) -> None:
    there = deferred(daemon.system, "ABC123")
    add(daemon, "x.example", "ABC123")
    assert ask(daemon, ("request", "rfrsh")) == OK
    trigger = daemon.connect()
    trigger.socket.sendall(b"W\0")
    assert trigger.receive() == [("protocol", PROTOCOL)]
    assert trigger.receive() is None
    assert not there.exists()


def test_old_empty_logs_go(daemon: Running) -> None:
    add(daemon, "x.example", "ABC123")
    log = daemon.system.queue / "flush/x_example"
    assert log.read_bytes() == b"ABC123\n"
    log.write_bytes(b"")
    os.utime(log, (1, 1))
    client = daemon.connect()
    client.socket.sendall(b"W")
    client.receive()
    assert client.receive() is None
    assert not log.exists()


def test_what_is_malformed_is_bad_and_what_is_unknown_gets_no_answer(daemon: Running) -> None:
    assert ask(daemon, ("request", "add"), ("site", "x.example")) == BAD
    assert ask(daemon, ("site", "x.example")) == BAD
    assert ask(daemon, ("request", "send_site"), ("x", "y")) == BAD
    assert ask(daemon, ("request", "dance")) is None
    assert [line for line in daemon.system.logged("expecting: site") if "warning" in line] == [
        "flush: warning: missing attribute queue_id in input from flush socket",
        "flush: warning: unexpected attribute site from flush socket (expecting: request)",
        "flush: warning: unexpected attribute x from flush socket (expecting: site)",
    ], "nothing is said of an unknown request"


def test_process_limit(system: System) -> None:
    from tests.unit.daemons.running import start

    assert start(flush.main, system, "flush").wait() == 1
    assert "flush: fatal: service flush requires a process limit of 0" in system.logged("fatal")


def test_a_client_that_says_nothing(daemon: Running) -> None:
    client = daemon.greeted(PROTOCOL)
    client.socket.shutdown(socket.SHUT_WR)
    assert client.receive() is None


def test_qmgr_of_another_name_is_told(system: System) -> None:
    found: queue.Queue[bytes] = queue.Queue()
    system.serve("public/other", lambda connection: found.put(connection.recv(10)))
    system.write_main(fast_flush_domains="x.example", hash_queue_names="active", queue_service_name="other")
    with running(flush.main, system, "flush", "-z") as daemon:
        deferred(system, "ABC123")
        assert ask(daemon, ("request", "send_file"), ("queue_id", "ABC123")) == OK
        assert found.get(timeout=10) == b"I"
