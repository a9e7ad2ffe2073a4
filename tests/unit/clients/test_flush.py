from __future__ import annotations

import socket
from pathlib import Path

from pyfix.clients.flush import FlushClient
from pyfix.protocols.internal.flush import FAILED, OK
from tests.unit.clients.server import null_list, requests, run, serving


def test_flush(tmp_path: Path) -> None:
    seen: list[str] = []

    def answer(connection: socket.socket) -> None:
        connection.sendall(null_list("protocol", "queue_flush_protocol"))
        seen.append(next(requests(connection)))
        connection.sendall(null_list("status", "0"))

    async def ask() -> list[int]:
        client = FlushClient("flush", 5)
        return [
            await client.add("site", "ID"), await client.send_site("site"), await client.send_file("ID"),
            await client.refresh(), await client.purge(),
        ]  # fmt: skip

    with serving(tmp_path, "public/flush", answer):
        assert run(ask()) == [OK] * 5
    assert [request.split("\0")[1] for request in seen] == ["add", "send_site", "send_file", "rfrsh", "purge"]
    assert run(FlushClient("nobody", 5).purge()) == FAILED
