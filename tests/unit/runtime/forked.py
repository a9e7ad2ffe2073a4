"""Running a test's body in a forked child: a process has one event loop, for ever."""

from __future__ import annotations

import os
import socket
import traceback
from ast import literal_eval
from collections.abc import Callable, Coroutine
from typing import Any

from pyfix.runtime.loop import install
from pyfix.runtime.task import sleep, spawn

SECONDS = 20.0


def in_child(body: Callable[[], object]) -> str:
    """Run *body* in a child; return what it returned, as repr() shows it, or the traceback of what it raised."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reader)
        try:
            said = repr(body())
        except BaseException:
            said = traceback.format_exc()
        os.write(writer, said.encode("utf-8", "replace")[:60000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        said = answer.read().decode()
    os.waitpid(pid, 0)
    return said


def on_loop(test: Callable[..., Coroutine[Any, Any, object]], *arguments: object) -> object:
    """Run the coroutine function *test* on a loop in a child; return its result, a literal.

    Raises AssertionError for whatever it raised, or when it takes too long.
    """

    def body() -> object:
        loop = install()
        outcome: list[object] = []

        async def run() -> None:
            outcome.append(await test(*arguments))

        def ended(error: BaseException | None) -> None:
            if error is not None:
                outcome.append("".join(traceback.format_exception(error)))
                outcome.append("failed")
            loop.stop_turning()

        def late() -> None:
            outcome.extend([f"not done after {SECONDS} s", "failed"])
            loop.stop_turning()

        loop.later(SECONDS, late)
        loop.soon(lambda: spawn(run(), ended))
        loop.turn()
        if len(outcome) > 1:
            raise AssertionError(outcome[0])
        return outcome[0]

    said = in_child(body)
    assert not said.startswith("Traceback"), said
    return literal_eval(said)


async def pause(seconds: float = 0.02) -> None:
    """Wait, and let the loop handle all that is ready by then: on a busy machine the time may be over before it had a turn."""
    await sleep(seconds)
    for _ in range(3):
        await sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Wait until *condition* is true; on_loop ends what waits for too long."""
    while not condition():
        await sleep(0.005)


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets: the first for a Stream, the second blocking, for the test."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.setblocking(False)
    theirs.settimeout(5)
    return ours, theirs
