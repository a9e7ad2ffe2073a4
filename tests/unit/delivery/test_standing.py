"""Connections that stay open for the next request."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from pyfix.delivery.standing import StandingConnections, read_request
from tests.unit.runtime.forked import on_loop, pause


def connected() -> tuple[int, socket.socket]:
    """Return the agent's descriptor and the client's socket."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.settimeout(5)
    return ours.detach(), theirs


def standing(may_read: Callable[[], bool] = lambda: True) -> tuple[StandingConnections, list[tuple[int, bytes]]]:
    served: list[tuple[int, bytes]] = []
    return StandingConnections(lambda fd, data: served.append((fd, data)), may_read), served


def test_the_next_request_is_served() -> None:
    async def test() -> list[object]:
        connections, served = standing()
        fd, client = connected()
        connections.wanted.add(fd)
        connections.keep(fd)
        seen: list[object] = [fd in connections, fd in connections.wanted]
        client.sendall(b"one")
        await pause()
        seen.append([data for _fd, data in served])
        client.sendall(b"two")
        await pause()
        seen.append(len(served))
        connections.keep(fd)
        await pause()
        seen.append([data for _fd, data in served])
        return seen

    assert on_loop(test) == [True, False, [b"one"], 1, [b"one", b"two"]], "while one is under way the next one waits"


def test_a_client_that_leaves() -> None:
    async def test() -> list[object]:
        connections, served = standing()
        fd, client = connected()
        connections.keep(fd)
        client.close()
        await pause()
        return [fd in connections, served, os.path.exists(f"/proc/self/fd/{fd}")]

    assert on_loop(test) == [False, [], False]


def test_an_agent_that_ends_leaves_requests_unread() -> None:
    """The client gets a reset, and knows that nobody has begun with its request."""

    async def test() -> list[object]:
        connections, served = standing(lambda: False)
        fd, client = connected()
        connections.keep(fd)
        client.sendall(b"one")
        await pause()
        connections.close_idle()
        try:
            answer: object = client.recv(1)
        except ConnectionResetError:
            answer = "reset"
        return [served, fd in connections, answer]

    assert on_loop(test) == [[], False, "reset"]


def test_those_at_work_are_not_closed_with_the_idle() -> None:
    async def test() -> list[object]:
        connections, served = standing()
        (busy, client), (idle, _other) = connected(), connected()
        connections.keep(busy)
        connections.keep(idle)
        client.sendall(b"x")
        await pause()
        connections.close_idle()
        return [busy in connections, idle in connections, len(served)]

    assert on_loop(test) == [True, False, 1]


def test_a_connection_that_somebody_else_goes_on_with() -> None:
    async def test() -> list[object]:
        connections, served = standing()
        fd, client = connected()
        connections.keep(fd)
        connections.release(fd)
        client.sendall(b"x")
        await pause()
        return [fd in connections, served, os.read(fd, 10)]

    assert on_loop(test) == [False, [], b"x"]


def test_reading() -> None:
    fd, client = connected()
    assert read_request(fd) is None
    client.sendall(b"x")
    assert read_request(fd) == b"x"
    client.close()
    assert read_request(fd) == b""
    os.close(fd)
    assert read_request(fd) == b""
