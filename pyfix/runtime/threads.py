"""Blocking work (NSS, database drivers, slow disks) in bounded threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from twisted.python.threadpool import ThreadPool

from pyfix.runtime.identity import is_another
from pyfix.runtime.loop import current
from pyfix.runtime.task import Waiter

P = ParamSpec("P")
T = TypeVar("T")

_MOST_THREADS = 20
_pool: ThreadPool | None = None


class _DaemonThread(threading.Thread):
    """A thread that does not keep its process from ending."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **{**named, "daemon": True})


class _Pool(ThreadPool):
    threadFactory = _DaemonThread


async def in_thread(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Run *function* in a thread and return its result or raise its exception.

    Raises RuntimeError where a new thread would have the rights of a recipient, for good.
    """
    if is_another():
        raise RuntimeError("no thread may start with another user's rights")
    global _pool
    if _pool is None:
        _pool = _Pool(0, _MOST_THREADS)
        _pool.start()
    loop = current()
    waiter: Waiter[T] = Waiter()

    def work() -> None:
        try:
            result = function(*arguments, **named)
        except BaseException as error:
            loop.callFromThread(waiter.fail, error)
        else:
            loop.callFromThread(waiter.wake, result)

    _pool.callInThread(work)
    return await waiter
