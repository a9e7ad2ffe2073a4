from __future__ import annotations

from pyfix.runtime.loop import current
from pyfix.runtime.task import Waiter, gather, run_now, sleep, spawn
from tests.unit.runtime.forked import on_loop, pause


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
