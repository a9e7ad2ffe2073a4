from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pyfix.runtime.wire import Endpoint, LineTooLong, NotConnected, Wire, WireEnd, Wires, WireTimeout, run_now
from tests.kit.tableservers import HANG_UP, SILENCE, TcpServer


def pair() -> tuple[Wire, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.settimeout(0.05)
    return Wire(ours), theirs


def test_lines_and_bytes() -> None:
    wire, peer = pair()
    peer.sendall(b"one\ntwo\nabcde")
    assert run_now(wire.line(10)) == b"one"
    assert wire.over  # there is more than was asked for
    assert run_now(wire.line(10)) == b"two"
    assert run_now(wire.exactly(3)) == b"abc"
    run_now(wire.send(b"hello"))
    assert peer.recv(10) == b"hello"
    peer.close()
    assert run_now(wire.exactly(2)) == b"de"
    with pytest.raises(WireEnd):
        run_now(wire.exactly(1))
    wire.close()


def test_limits() -> None:
    wire, peer = pair()
    with pytest.raises(WireTimeout, match="Connection timed out"):
        run_now(wire.line(10))
    peer.sendall(b"123456789\n0123456789\n")
    assert run_now(wire.line(10)) == b"123456789"
    with pytest.raises(LineTooLong, match="text longer than 10"):
        run_now(wire.line(10))
    wire.close()
    peer.close()


def test_nobody_there(tmp_path: Path) -> None:
    for endpoint, reason in [
        (Endpoint("127.0.0.1", "1"), "Connection refused"),
        (Endpoint(path=str(tmp_path / "none")), "No such file or directory"),
        (Endpoint("127.0.0.1", "1", families=(int(socket.AF_INET6),)), "Cannot assign requested address"),
    ]:
        with pytest.raises(NotConnected, match=reason):
            endpoint.connect(1)
    with pytest.raises(NotConnected) as raised:
        Endpoint("nosuchhost.invalid", "1").connect(1)
    assert raised.value.not_found


def test_connections_are_kept() -> None:
    with TcpServer({b"a": b"200 1\n"}) as server:
        wires = Wires(Endpoint("127.0.0.1", str(server.port)), 5, idle=10, ttl=100)
        for _ in range(3):
            wire = run_now(wires.take())
            run_now(wire.send(b"get a\n"))
            assert run_now(wire.line(100)) == b"200 1"
            wires.keep(wire)
        assert server.connections == 1
        server.hang_up()
        wire = run_now(wires.take())
        assert wire.fresh
        wires.keep(wire)
        wires.idle = -1.0  # type: ignore[misc]  # time that has passed
        assert run_now(wires.take()).fresh
        wires.idle, wires.ttl = 10.0, -1.0  # type: ignore[misc]  # Final for all but this test
        wires.keep(run_now(wires.take()))
        assert run_now(wires.take()).fresh
        wires.close()


def test_a_child_makes_connections_of_its_own() -> None:
    with TcpServer({}) as server:
        wires = Wires(Endpoint("127.0.0.1", str(server.port)), 5, idle=10, ttl=100)
        wires.keep(run_now(wires.take()))
        child = os.fork()
        if not child:
            os._exit(0 if run_now(wires.take()).fresh else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert not run_now(wires.take()).fresh


def test_a_conversation_that_would_wait_is_a_mistake() -> None:
    class Never:
        def __await__(self):  # type: ignore[no-untyped-def]  # no generator type fits
            yield

    async def waits() -> None:
        await Never()

    with pytest.raises(RuntimeError, match="event loop"):
        run_now(waits())


def test_answers_of_the_test_server() -> None:
    with TcpServer({b"h": HANG_UP, b"s": SILENCE}) as server:
        wires = Wires(Endpoint("127.0.0.1", str(server.port)), 0.05, idle=10, ttl=100)
        for key, error in ((b"h", WireEnd), (b"s", WireTimeout)):
            wire = run_now(wires.take())
            run_now(wire.send(b"get " + key + b"\n"))
            with pytest.raises(error):
                run_now(wire.line(100))
