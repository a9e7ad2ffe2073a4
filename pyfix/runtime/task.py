"""Coroutines on the loop: one a session, driven without Deferreds.

A coroutine that must wait yields a Waiter; whoever has the answer wakes it.  Nothing is
allocated for an await that does not wait.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

from pyfix.runtime.loop import current

T = TypeVar("T")


class Waiter(Generic[T]):
    """One answer that a coroutine waits for."""

    __slots__ = ("_done", "_error", "_task", "_value")

    def __init__(self) -> None:
        self._task: Task | None = None
        self._done = False
        self._value: T | None = None
        self._error: BaseException | None = None

    @property
    def done(self) -> bool:
        """Whether the answer is there."""
        return self._done

    def wake(self, value: T) -> None:
        """Give the answer and resume the coroutine at once, inside this call."""
        self._done = True
        self._value = value
        task = self._task
        if task is not None:
            self._task = None
            task.step()

    def wake_soon(self, value: T) -> None:
        """Give the answer; the coroutine resumes when the handler that runs now has returned."""
        self._done = True
        self._value = value
        if self._task is not None:
            current().soon(self._resume)

    def fail(self, error: BaseException) -> None:
        """Raise *error* in the coroutine, at once."""
        self._done = True
        self._error = error
        task = self._task
        if task is not None:
            self._task = None
            task.step()

    def _resume(self) -> None:
        task = self._task
        if task is not None:
            self._task = None
            task.step()

    def __await__(self) -> Generator[Waiter[T], None, T]:
        if not self._done:
            yield self
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set by wake, whose argument is a T


class Task:
    """A running coroutine."""

    __slots__ = ("_coroutine", "_ended")

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], ended: Callable[[BaseException | None], None] | None
    ) -> None:
        self._coroutine = coroutine
        self._ended = ended

    def step(self) -> None:
        """Run the coroutine until it waits or ends."""
        try:
            waiter = self._coroutine.send(None)
        except StopIteration:
            if self._ended is not None:
                self._ended(None)
        except BaseException as error:
            if self._ended is None:
                raise
            self._ended(error)
        else:
            waiter._task = self


def spawn(coroutine: Coroutine[Any, Any, Any], ended: Callable[[BaseException | None], None] | None = None) -> None:
    """Run *coroutine* until its first wait; *ended* hears of its end, with the exception that it raised.

    Without *ended* an exception reaches the loop's error report.
    """
    Task(coroutine, ended).step()


async def sleep(seconds: float) -> None:
    """Wait for *seconds*."""
    waiter: Waiter[None] = Waiter()
    current().later(seconds, waiter.wake, None)
    await waiter


async def gather(*coroutines: Coroutine[Any, Any, T]) -> list[T]:
    """Run coroutines side by side; return their results in order.

    Raises the first exception, after all have ended.
    """
    results: list[Any] = [None] * len(coroutines)
    errors: list[BaseException] = []
    left = len(coroutines)
    waiter: Waiter[None] = Waiter()

    def ended(error: BaseException | None) -> None:
        nonlocal left
        left -= 1
        if error is not None:
            errors.append(error)
        if not left and not waiter.done:
            waiter.wake_soon(None)

    async def run(index: int, coroutine: Coroutine[Any, Any, T]) -> None:
        results[index] = await coroutine

    for index, coroutine in enumerate(coroutines):
        spawn(run(index, coroutine), ended)
    if left:
        await waiter
    if errors:
        raise errors[0]
    return results


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits (memory and file tables) and return its result.

    Raises RuntimeError if it waits after all.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("a coroutine that must not wait did wait")
