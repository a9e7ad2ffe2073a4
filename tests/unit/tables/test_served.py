from __future__ import annotations

import time

import pytest

from pyfix.runtime.task import gather, sleep, spawn
from pyfix.tables.source import open_table
from pyfix.tables.table import TableError
from pyfix.tables.tcp import TcpTable
from tests.kit.tableservers import SILENCE, SocketmapServer, TcpServer, netstring
from tests.unit.runtime.forked import on_loop


def test_lookups_in_the_event_loop_go_on_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lookup that waits stops nobody else: the loop turns, and other keys are answered."""
    answers = {b"slow": SILENCE, **{b"%d" % number: b"200 v%d\n" % number for number in range(20)}}
    monkeypatch.setattr(TcpTable, "timeout", 0.3)
    with TcpServer(answers) as server:

        async def test() -> list[object]:
            table = open_table(f"tcp:127.0.0.1:{server.port}")
            waits = 0.0
            done: list[object] = []

            async def slow() -> None:
                try:
                    await table.find("slow")
                except TableError:
                    done.append("slow")

            async def tick() -> None:
                nonlocal waits
                for _ in range(20):
                    before = time.monotonic()
                    await sleep(0.005)
                    waits = max(waits, time.monotonic() - before)

            async def quick() -> None:
                done.append(await gather(*(table.find(str(number)) for number in range(20))))

            spawn(slow())
            await gather(tick(), quick())
            return [done, waits < 0.1]

        assert on_loop(test) == [[[f"v{number}" for number in range(20)]], True]


def test_a_restarted_server_in_the_event_loop() -> None:
    with SocketmapServer({b"a": netstring(b"OK x")}) as server:

        async def test() -> list[object]:
            table = open_table(f"socketmap:inet:127.0.0.1:{server.port}:m")
            first = await table.find("a")
            server.hang_up()
            return [first, await table.find("a"), await table.find("none"), await table.find("\udce9")]

        assert on_loop(test) == ["x", "x", None, None]
