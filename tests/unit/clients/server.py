"""A server on a Unix socket that answers in a thread, and a loop to run a client in."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyfix.formats.attributes import decode_pairs, end_of_list
from pyfix.runtime import loop as loops
from pyfix.runtime.loop import Loop
from pyfix.runtime.stream import Stream
from pyfix.runtime.task import spawn


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a loop of its own; return what it returns or raise what it raises."""
    try:
        return _run(coroutine, Loop())
    finally:
        loops._current = None


def _run(coroutine: Coroutine[Any, Any, Any], loop: Loop) -> Any:
    loops._current = loop
    found: list[Any] = []

    async def whole() -> None:
        found.append(await coroutine)

    def ended(error: BaseException | None) -> None:
        found.append(error)
        loop.stop_turning()

    loop.callWhenRunning(spawn, whole(), ended)
    guard = loop.later(20, loop.stop_turning)
    try:
        loop.turn()
        _close_streams(loop)
    finally:
        loops._current = None
    if guard.active():
        guard.cancel()
    assert found, "the client waited for ever"
    if isinstance(found[-1], BaseException):
        raise found[-1]
    return found[0]


def _close_streams(loop: Loop) -> None:
    """End what clients left open, and the tasks that wait for it: nobody turns this loop again."""
    for handler in list(loop._handlers.values()):
        stream = getattr(handler, "__self__", None)
        if isinstance(stream, Stream):
            stream.close()


@contextmanager
def serving(
    folder: Path, path: str, answer: Callable[[socket.socket], None], *, side_by_side: bool = False
) -> Iterator[list[int]]:
    """Let *answer* serve each connection to *path* below *folder*, which is made the working directory.

    One after the other, or *side_by_side*.
    """
    before = os.getcwd()
    os.chdir(folder)
    Path(path).parent.mkdir(exist_ok=True)
    connections: list[int] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(10)

        def talk(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(10)
                try:
                    answer(connection)
                except OSError:
                    pass

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connections.append(1)
                if side_by_side:
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()
                else:
                    talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield connections
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            os.chdir(before)
            thread.join(1)


def null_list(*words: str) -> bytes:
    """Return an attribute list of names and values."""
    return "".join(f"{word}\0" for word in words).encode() + b"\0"


def requests(connection: socket.socket, end: bytes = b"\0\0") -> Iterator[str]:
    """Yield the requests of a connection as text, until it ends."""
    data = b""
    while True:
        while end not in data:
            more = connection.recv(65536)
            if not more:
                return
            data += more
        request, _, data = data.partition(end)
        yield request.decode()


def lists(connection: socket.socket) -> Iterator[list[tuple[str, str]]]:
    """Yield the attribute lists of a connection, until it ends; unlike ``requests`` with values that may be empty."""
    data = b""
    while True:
        while (end := end_of_list(data)) < 0:
            more = connection.recv(65536)
            if not more:
                return
            data += more
        yield decode_pairs(data[:end])
        data = data[end:]
