from __future__ import annotations

import os
import threading

import pytest
from twisted.python.threadpool import ThreadPool

from pyfix.runtime.task import gather
from pyfix.runtime.threads import Threads, in_thread
from tests.unit.runtime.forked import on_loop


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


def test_threads_of_the_parent_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was forked after threads were used makes its own."""
    threads = Threads(1)
    monkeypatch.setattr(threads, "_pool", ThreadPool(0, 1))
    monkeypatch.setattr(threads, "_process", os.getpid())
    assert on_loop(threads.run, str, "done") == "done"
