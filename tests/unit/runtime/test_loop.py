from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

from pyfix.runtime.loop import LISTEN, current, install
from pyfix.runtime.task import sleep
from tests.unit.runtime.forked import in_child, on_loop, pause, until


def test_no_loop_before_it_is_made() -> None:
    assert "RuntimeError" in in_child(lambda: current())


def test_order_of_one_turn() -> None:
    async def test() -> list[str]:
        loop = current()
        order: list[str] = []

        def handler() -> None:
            loop.at_turn_end(lambda: order.append("end"))
            loop.leaving.append(lambda: order.append("leaving"))
            loop.arrived.append(lambda: order.append("arrived"))
            loop.soon(lambda: order.append("soon"))
            order.append("handler")

        loop.later(0, handler)
        await pause()
        return order

    assert on_loop(test) == ["handler", "arrived", "soon", "leaving", "end"]


def test_deferred_work_may_defer_more() -> None:
    async def test() -> int:
        loop = current()
        count = 0

        def again() -> None:
            nonlocal count
            count += 1
            if count < 50:
                (loop.soon, loop.arrived.append, loop.leaving.append, loop.at_turn_end)[count % 4](again)

        loop.soon(again)
        await pause()
        return count

    assert on_loop(test) == 50


def test_what_is_put_off_in_the_last_turn_is_done() -> None:
    """A process that retires when its last client is served must still wake the queue manager for it."""

    def body() -> list[str]:
        loop = install()
        order: list[str] = []

        def last() -> None:
            order.append("sync")
            loop.at_turn_end(lambda: order.append("wake"))
            loop.stop_turning()

        loop.at_turn_end(last)
        loop.turn()
        return order

    assert in_child(body) == "['sync', 'wake']"


def test_timers_in_order_and_cancelled() -> None:
    async def test() -> list[int]:
        loop = current()
        seen: list[int] = []
        loop.later(0.06, seen.append, 3)
        loop.later(0.02, seen.append, 1)
        loop.later(0.04, seen.append, 2)
        loop.later(0.03, seen.append, 9).cancel()
        await sleep(0.1)
        return seen

    assert on_loop(test) == [1, 2, 3]


class Deadline:
    def __init__(self) -> None:
        self.deadline = 0.0
        self.times: list[float] = []

    def expired(self) -> None:
        self.times.append(time.monotonic())


def test_deadlines_expire_move_and_are_withdrawn() -> None:
    async def test() -> list[object]:
        loop = current()
        begin = time.monotonic()
        first, moved, withdrawn, last = (Deadline() for _ in range(4))
        for one in (first, moved, withdrawn):
            loop.expire_at(one, begin + 0.05)
        loop.expire_at(last, begin + 0.2)
        loop.expire_at(moved, begin + 0.15)
        loop.expire_never(withdrawn)
        await until(lambda: last.times)
        counts = [len(one.times) for one in (first, moved, withdrawn, last)]
        return [counts, first.times[0] - begin >= 0.05, moved.times[0] - begin >= 0.15, last.times[0] - begin >= 0.2]

    assert on_loop(test) == [[1, 1, 0, 1], True, True, True]


def test_an_error_in_a_handler_is_reported_and_the_loop_goes_on() -> None:
    async def test() -> list[str]:
        loop = current()
        seen: list[str] = []
        loop.on_error(lambda error: seen.append(str(error)))

        def fail(text: str) -> None:
            raise ValueError(text)

        loop.soon(lambda: fail("soon"))
        loop.at_turn_end(lambda: fail("end"))
        reader, writer = os.pipe()
        loop.watch(reader, LISTEN, lambda _event: (loop.unwatch(reader), fail("handler")))
        os.write(writer, b"x")
        await pause()
        return sorted(seen)

    assert on_loop(test) == ["end", "handler", "soon"]


def test_watching_and_unwatching() -> None:
    async def test() -> list[bytes]:
        loop = current()
        ours, theirs = socket.socketpair()
        seen: list[bytes] = []
        loop.watch(ours.fileno(), LISTEN, lambda _event: seen.append(ours.recv(10)))
        theirs.send(b"one")
        await pause()
        loop.unwatch(ours.fileno())
        loop.unwatch(ours.fileno())
        theirs.send(b"two")
        await pause()
        return seen

    assert on_loop(test) == [b"one"]


def test_tls_is_not_loaded_with_the_loop_and_can_be_later() -> None:
    """It would be a good part of the memory of an idle mail system."""
    code = (
        "import sys, pyfix.runtime.loop; assert not {'OpenSSL', 'cryptography'} & sys.modules.keys(); "
        "from twisted.internet.ssl import CertificateOptions; assert 'OpenSSL' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
