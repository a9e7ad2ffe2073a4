"""pipe(8): one command for a request; parity is in tests/parity/pipe."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from pyfix.daemons.pipe import daemon as pipe
from tests.unit.daemons.requests import bounce_service, deliver, is_final, queued
from tests.unit.daemons.running import Running, System, running

Start = Callable[..., AbstractContextManager[Running]]


@pytest.fixture
def start(system: System) -> Start:
    def run(*words: str, **main: object) -> AbstractContextManager[Running]:
        system.write_main(**main)
        return running(pipe.main, system, "filter", *words)

    return run


def test_one_command_for_all_recipients(start: Start, system: System) -> None:
    shown = system.folder / "shown"
    shown.write_text("")
    shown.chmod(0o666)
    with start("flags=R", "user=daemon", "argv=/bin/sh", "-c", f'echo "$$@" >{shown}; cat >>{shown}', "x", "$user") as daemon:
        message = queued(daemon.system, "a@x.example", "b@x.example")
        assert is_final(deliver(daemon, message))
        assert message.recipients_left() == []
    assert shown.read_text() == "a b\nReturn-Path: <s@x.example>\nSubject: x\n\nhello\n"
    for line in system.logged("status=")[-2:]:
        assert line.endswith("relay=filter, delay=" + line.partition("delay=")[2])
        assert line.endswith(", dsn=2.0.0, status=sent (delivered via filter service)")


def test_a_failure_is_told(start: Start, system: System) -> None:
    bounce = bounce_service(system, "bounce")
    with start("user=daemon", "argv=/bin/sh", "-c", "exit 67") as daemon:
        assert is_final(deliver(daemon, queued(daemon.system, "a@x.example")))
    told = bounce.next()
    assert (told["status"], told["reason"], told["diag_text"]) == ("5.1.1", "user unknown", "user unknown")


def test_many_at_a_time(start: Start, system: System) -> None:
    """A slow command holds nobody up."""
    defer = bounce_service(system, "defer")
    with start("user=daemon", "argv=/bin/sh", "-c", "cat >/dev/null; sleep 0.3; exit 75") as daemon:
        messages = [queued(daemon.system, "a@x.example", queue_id=f"ABC{number}") for number in range(8)]
        clients = [daemon.connect() for _ in messages]
        for client, message in zip(clients, messages, strict=True):
            client.socket.sendall(message.encode())
        for client in clients:
            assert client.receive() is not None
            assert not is_final(client.receive())
    assert [defer.next()["status"] for _ in messages] == ["4.3.0"] * 8
