from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from pyfix.clients.anvil import MESSAGE, AnvilClient
from pyfix.runtime.task import gather
from tests.unit.clients.server import run, serving


def anvil(connection: socket.socket) -> None:
    """Answer as Postfix's does: one question a packet."""
    connection.sendall(b"protocol=anvil_protocol\n\n")
    while data := connection.recv(4096):
        assert data.count(b"\n\n") == 1, "a question came before the last one was answered"
        kind = data.split(b"\n")[0].partition(b"=")[2]
        replies = {b"connect": b"status=0\ncount=2\nrate=3\n\n", b"disconnect": b"status=0\n\n"}
        connection.sendall(replies.get(kind, b"status=0\nrate=7\n\n"))


def test_anvil(tmp_path: Path) -> None:
    async def ask() -> list[Any]:
        client = AnvilClient("anvil", 5)
        return await gather(
            client.connected("smtp:1"), client.event(MESSAGE, "smtp:1"), client.connected("smtp:2"),
            client.disconnected("smtp:1"),
        )  # fmt: skip

    with serving(tmp_path, "private/anvil", anvil) as connections:
        assert run(ask()) == [(2, 3), 7, (2, 3), None]
    assert len(connections) == 1


def test_own_connections_count(tmp_path: Path) -> None:
    """Postfix's anvil counts one for a process, however many it has."""

    async def ask() -> list[Any]:
        client = AnvilClient("anvil", 5)
        counts = [await client.connected("smtp:1") for _ in range(4)]
        await client.disconnected("smtp:1")
        return [*counts, await client.connected("smtp:1"), await client.connected("smtp:2")]

    with serving(tmp_path, "private/anvil", anvil):
        assert run(ask()) == [(2, 3), (2, 3), (3, 3), (4, 3), (4, 3), (2, 3)]


def test_anvil_that_dies(tmp_path: Path) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"protocol=anvil_protocol\n\n")
        connection.recv(4096)

    async def ask() -> list[Any]:
        client = AnvilClient("anvil", 5)
        return [await client.connected("smtp:1"), await client.connected("smtp:1")]

    with serving(tmp_path, "private/anvil", answer) as connections:
        assert run(ask()) == [None, None]
    assert len(connections) == 2
