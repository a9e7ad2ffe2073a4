from __future__ import annotations

import pytest

from pyfix.runtime.task import gather, sleep
from pyfix.runtime.wire import Endpoint, NotConnected, WireEnd, WireTimeout
from pyfix.runtime.wire_loop import LoopWires
from tests.kit.tableservers import HANG_UP, SILENCE, TcpServer
from tests.unit.runtime.forked import on_loop

ANSWERS = {b"a": b"200 1\n", b"h": HANG_UP, b"s": SILENCE, b"long": b"200 " + b"x" * 300000 + b"\n"}


async def asked(wires: LoopWires, key: bytes) -> bytes:
    wire = await wires.take()
    await wire.send(b"get " + key + b"\n")
    line = await wire.line(1000000)
    wires.keep(wire)
    return line


def test_clients_side_by_side_and_connections_that_are_kept() -> None:
    with TcpServer(ANSWERS) as server:

        async def test() -> list[object]:
            wires = LoopWires(Endpoint("127.0.0.1", str(server.port)), 5, idle=10, ttl=100)
            lines = await gather(*(asked(wires, b"a") for _ in range(5)))
            at_once = server.connections
            for _ in range(3):
                await asked(wires, b"a")
            kept = server.connections == at_once
            long = len(await asked(wires, b"long"))
            server.hang_up()
            await sleep(0.05)
            again = await asked(wires, b"a")
            wires.close()
            return [lines, kept, long, again]

        assert on_loop(test) == [[b"200 1"] * 5, True, 300004, b"200 1"]


@pytest.mark.parametrize(("key", "error"), [(b"h", WireEnd), (b"s", WireTimeout)])
def test_the_server_fails(key: bytes, error: type[Exception]) -> None:
    with TcpServer(ANSWERS) as server:

        async def test() -> str:
            wires = LoopWires(Endpoint("127.0.0.1", str(server.port)), 0.1, idle=10, ttl=100)
            try:
                await asked(wires, key)
            except error:
                return "failed"
            return "no error"

        assert on_loop(test) == "failed"


def test_idle_connections_are_closed() -> None:
    with TcpServer(ANSWERS) as server:

        async def test() -> bool:
            wires = LoopWires(Endpoint("127.0.0.1", str(server.port)), 5, idle=0.05, ttl=100)
            await asked(wires, b"a")
            kept = bool(wires._free)
            await sleep(0.25)
            return kept and not wires._free

        assert on_loop(test)


def test_nobody_there_and_a_pause() -> None:
    async def test() -> str:
        wires = LoopWires(Endpoint("127.0.0.1", "1"), 5, idle=10, ttl=100)
        await wires.pause(0.001)
        try:
            await wires.take()
        except NotConnected as error:
            return str(error)
        return "connected"

    assert on_loop(test) == "Connection refused"
