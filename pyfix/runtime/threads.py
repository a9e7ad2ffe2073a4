"""Blocking work (NSS, database drivers, slow disks) in bounded threads."""

from __future__ import annotations

import os
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


class _DaemonThread(threading.Thread):
    """A thread that does not keep its process from ending."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **{**named, "daemon": True})


class _Pool(ThreadPool):
    threadFactory = _DaemonThread


class Threads:
    """A bounded number of threads for one kind of work; there is none before there is work."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pool: ThreadPool | None = None
        self._process = 0

    async def run(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Run *function* in a thread and return its result or raise its exception.

        Raises RuntimeError where a new thread would have the rights of a recipient, for good.
        """
        if is_another():
            raise RuntimeError("no thread may start with another user's rights")
        if self._pool is None or self._process != os.getpid():
            # A process that was forked has none of its parent's threads.
            self._process = os.getpid()
            self._pool = _Pool(0, self._most)
            self._pool.start()
        loop = current()
        waiter: Waiter[T] = Waiter()

        def work() -> None:
            try:
                result = function(*arguments, **named)
            except BaseException as error:
                loop.callFromThread(waiter.fail, error)
            else:
                loop.callFromThread(waiter.wake, result)

        self._pool.callInThread(work)
        return await waiter


_ordinary = Threads(_MOST_THREADS)


async def in_thread(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Run *function* in one of the threads for work of all kinds; see Threads.run."""
    return await _ordinary.run(function, *arguments, **named)
