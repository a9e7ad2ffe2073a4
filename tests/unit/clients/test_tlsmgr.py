from __future__ import annotations

import base64
import socket
from pathlib import Path
from typing import Any

import pytest

from pyfix.clients.tlsmgr import CachePolicy, TlsManager
from pyfix.formats.ticketkey import TicketKey
from tests.unit.clients.rewriting import TIMES
from tests.unit.clients.server import null_list, requests, run, serving

KEY = TicketKey(b"n" * 16, b"c" * 32, b"m" * 32, 12345)


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


REPLIES = {
    "policy": null_list("status", "0", "cachable", "1", "timeout", "3600"),
    "lookup": null_list("status", "0", "session", encoded(b"session")),
    "update": null_list("status", "0"),
    "delete": null_list("status", "4294967295"),
    "tktkey": null_list("status", "0", "keybuf", encoded(KEY.encode())),
}
NO_REPLIES = {
    "policy": null_list("status", "4294967294", "cachable", "0", "timeout", "0"),
    "lookup": null_list("status", "4294967295", "session", ""),
    "tktkey": null_list("status", "4294967295", "keybuf", encoded(b"n" * 16)),
}


@pytest.mark.parametrize(
    ("replies", "found"),
    [
        (REPLIES, [CachePolicy(cached=True, timeout=3600), b"session", None, None, KEY]),
        (NO_REPLIES, [CachePolicy(cached=False, timeout=0), b"", None, None, None]),
    ],
)
def test_questions(tmp_path: Path, replies: dict[str, bytes], found: list[object]) -> None:
    asked = []

    def answer(connection: socket.socket) -> None:
        connection.sendall(null_list("protocol", "tlsmgr_protocol"))
        for request in requests(connection):
            asked.append(request)
            connection.sendall(replies.get(request.split("\0")[1], null_list("status", "0")))

    async def ask() -> Any:
        manager = TlsManager("tlsmgr", "smtpd", **TIMES)
        return [
            await manager.policy(), await manager.lookup("id"), await manager.update("id", b"x"),
            await manager.delete("id"), await manager.ticket_key(b"n" * 16),
        ]  # fmt: skip

    with serving(tmp_path, "private/tlsmgr", answer):
        assert run(ask()) == found
    assert asked[1].startswith("request\0lookup\0cache_type\0smtpd\0cache_id\0id")
    assert asked[4].startswith(f"request\0tktkey\0keyname\0{encoded(b'n' * 16)}")


def test_nobody_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> Any:
        manager = TlsManager("tlsmgr", "smtp", **TIMES)
        await manager.update("id", b"x")
        await manager.delete("id")
        return await manager.policy(), await manager.lookup("id"), await manager.ticket_key()

    monkeypatch.chdir(tmp_path)
    assert run(ask()) == (CachePolicy(cached=False, timeout=0), b"", None)
