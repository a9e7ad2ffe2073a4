from __future__ import annotations

import multiprocessing

from pyfix.runtime.task import gather, sleep
from pyfix.tables.source import open_table
from tests.kit.tableservers import SocketmapServer, TcpServer, netstring
from tests.unit.runtime.forked import on_loop


class HeldServer(TcpServer):
    """Answers "slow" when it may."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        super().__init__({**answers, b"slow": b"200 late\n"})
        self.go_on = multiprocessing.Event()  # it is the loop's own process that says so

    def request(self, buffer: bytes) -> tuple[bytes, bytes] | None:
        found = super().request(buffer)
        if found is not None and found[0] == b"slow" and not self.go_on.wait(20):
            return b"stopped", found[1]
        return found


def test_lookups_in_the_event_loop_go_on_side_by_side() -> None:
    """A lookup that waits stops nobody else: the loop turns, and other keys are answered."""
    with HeldServer({b"%d" % number: b"200 v%d\n" % number for number in range(20)}) as server:

        async def test() -> list[object]:
            table = open_table(f"tcp:127.0.0.1:{server.port}")
            done: list[object] = []

            async def slow() -> None:
                done.append(await table.find("slow"))

            async def tick() -> None:
                for _ in range(20):
                    await sleep(0.001)
                done.append("twenty turns")

            async def quick() -> None:
                done.append(await gather(*(table.find(str(number)) for number in range(20))))

            async def others() -> None:
                await quick()
                await tick()
                server.go_on.set()

            await gather(slow(), others())
            return done

        assert on_loop(test) == [[f"v{number}" for number in range(20)], "twenty turns", "late"]


def test_a_restarted_server_in_the_event_loop() -> None:
    with SocketmapServer({b"a": netstring(b"OK x")}) as server:

        async def test() -> list[object]:
            table = open_table(f"socketmap:inet:127.0.0.1:{server.port}:m")
            first = await table.find("a")
            server.hang_up()
            return [first, await table.find("a"), await table.find("none"), await table.find("\udce9")]

        assert on_loop(test) == ["x", "x", None, None]
