from __future__ import annotations

import os
import socket
import threading
import time

from pyfix.runtime.groupcommit import GroupCommit
from pyfix.runtime.loop import LISTEN, current
from pyfix.runtime.task import Waiter, gather, run_now, sleep, spawn
from pyfix.runtime.threads import in_thread
from tests.unit.runtime.forked import in_child, on_loop, pause, until


def test_no_loop_before_it_is_made() -> None:
    assert "RuntimeError" in in_child(lambda: current())


def test_order_of_one_turn() -> None:
    async def test() -> list[str]:
        loop = current()
        order: list[str] = []

        def handler() -> None:
            loop.at_turn_end(lambda: order.append("end"))
            loop.leaving(lambda: order.append("leaving"))
            loop.arrived(lambda: order.append("arrived"))
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
                (loop.soon, loop.arrived, loop.leaving, loop.at_turn_end)[count % 4](again)

        loop.soon(again)
        await pause()
        return count

    assert on_loop(test) == 50


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


def test_waiter_before_and_after_its_answer() -> None:
    async def test() -> list[object]:
        ready: Waiter[int] = Waiter()
        ready.wake(1)
        later: Waiter[int] = Waiter()
        current().later(0.01, later.wake, 2)
        soon: Waiter[int] = Waiter()
        current().later(0.01, soon.wake_soon, 3)
        failing: Waiter[int] = Waiter()
        current().later(0.01, failing.fail, KeyError("x"))
        seen: list[object] = [await ready, await later, await soon]
        try:
            await failing
        except KeyError:
            seen.append("KeyError")
        return [*seen, ready.done]

    assert on_loop(test) == [1, 2, 3, "KeyError", True]


def test_gather_keeps_order_and_raises_after_all_have_ended() -> None:
    async def test() -> list[object]:
        ended: list[int] = []

        async def one(number: int, *, fail: bool = False) -> int:
            await sleep(0.05 - number / 100)
            ended.append(number)
            if fail:
                raise ValueError(number)
            return number

        seen: list[object] = [await gather(one(1), one(2), one(3)), await gather()]
        try:
            await gather(one(4, fail=True), one(1))
        except ValueError as error:
            seen.append(str(error))
        return [*seen, ended]

    assert on_loop(test) == [[1, 2, 3], [], "4", [3, 2, 1, 4, 1]]


def test_spawn_tells_how_it_ended() -> None:
    async def test() -> list[str]:
        seen: list[str] = []

        async def work(*, fail: bool) -> None:
            await sleep(0)
            if fail:
                raise ValueError

        spawn(work(fail=False), lambda error: seen.append(repr(error)))
        spawn(work(fail=True), lambda error: seen.append(repr(error)))
        await pause()
        return seen

    assert on_loop(test) == ["None", "ValueError()"]


def test_run_now() -> None:
    async def at_once() -> int:
        return 5

    assert run_now(at_once()) == 5

    async def waits() -> None:
        await Waiter()

    try:
        run_now(waits())
    except RuntimeError as error:
        assert "wait" in str(error)
    else:
        raise AssertionError("it waited")


def test_threads_return_raise_and_run_side_by_side() -> None:
    async def test() -> list[object]:
        barrier = threading.Barrier(3, timeout=5)

        def work(number: int) -> int:
            barrier.wait()
            return number * 2

        seen: list[object] = [await gather(*[in_thread(work, number) for number in range(3)])]

        def fail() -> None:
            raise KeyError("in the thread")

        try:
            await in_thread(fail)
        except KeyError as error:
            seen.append(error.args[0])
        return [*seen, await in_thread(threading.current_thread) is not threading.current_thread()]

    assert on_loop(test) == [[0, 2, 4], "in the thread", True]


def test_group_commit_tells_each_its_own_fault() -> None:
    async def test() -> list[object]:
        commit = GroupCommit()
        good = [os.memfd_create("a"), os.memfd_create("b")]
        closed = os.memfd_create("c")
        os.close(closed)

        async def one(fd: int) -> str:
            try:
                await commit.sync(fd)
            except OSError as error:
                return type(error).__name__ + str(error.errno)
            return "synced"

        results = await gather(one(good[0]), one(closed), one(good[1]))
        return [results, await one(good[0])]

    assert on_loop(test) == [["synced", "OSError9", "synced"], "synced"]
