"""Descriptors to and from a cache that a thread plays."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyfix.clients.scache import SessionCacheClient
from tests.unit.clients.rewriting import TIMES
from tests.unit.clients.server import null_list, run, serving

HELLO = null_list("protocol", "connection_cache_protocol")
READY = null_list("dummy", "")


def request(connection: socket.socket) -> list[str]:
    data = b""
    while not data.endswith(b"\0\0") or data.endswith(b"dummy\0\0"):
        more = connection.recv(1)
        if not more:
            return []
        data += more
    return data.decode().split("\0")[:-2]


def test_a_session_is_saved_and_taken(tmp_path: Path) -> None:
    kept: list[int] = []
    seen: list[list[str]] = []

    def answer(connection: socket.socket) -> None:
        connection.sendall(HELLO)
        while words := request(connection):
            seen.append(words)
            match words[1]:
                case "save_endp":
                    connection.sendall(READY)
                    kept.extend(socket.recv_fds(connection, 1, 1)[1])
                    connection.sendall(null_list("status", "0"))
                case "save_dest":
                    connection.sendall(null_list("status", "0"))
                case kind if not kept:
                    extra = ("property", "") if kind == "find_dest" else ()
                    connection.sendall(null_list("status", "2", "property", "", *extra))
                case kind:
                    extra = ("property", "way") if kind == "find_dest" else ()
                    connection.sendall(null_list("status", "0", *extra, "property", "end"))
                    assert request(connection) == ["dummy", ""]
                    socket.send_fds(connection, [b"\0"], [kept[0]])
                    os.close(kept.pop())
                    assert request(connection) == ["dummy", ""]

    async def use() -> list[Any]:
        client = SessionCacheClient("scache", **TIMES)
        reading, writing = os.pipe()
        found: list[Any] = []
        for find in (client.find, client.find_destination):
            await client.save_destination("dest\n", "way", "end\n", 9)
            assert await client.save("end\n", "end", reading, 10)
            taken = await find("x\n")
            assert taken is not None
            os.write(writing, b"!")
            found += [os.read(taken[0], 1), taken[1:]]
            os.close(taken[0])
            found.append(await find("x\n"))
        client.close()
        return found

    with serving(tmp_path, "private/scache", answer):
        assert run(use()) == [b"!", ("end",), None, b"!", ("way", "end"), None]
    assert seen[0] == ["request", "save_dest", "ttl", "9", "label", "dest\n", "property", "way", "label", "end\n"]
    assert seen[1] == ["request", "save_endp", "ttl", "10", "label", "end\n", "property", "end"]
    assert seen[2] == ["request", "find_endp", "label", "x\n"]


def nobody(connection: socket.socket) -> None:
    connection.close()


def babble(connection: socket.socket) -> None:
    connection.sendall(HELLO + null_list("status", "what"))


@pytest.mark.parametrize("answer", [nobody, babble])
def test_a_cache_that_fails(tmp_path: Path, answer: Callable[[socket.socket], None]) -> None:
    async def use() -> list[Any]:
        client = SessionCacheClient("scache", **TIMES)
        return [await client.find("x"), await client.find_destination("x"), await client.save("x", "y", 0, 1)]

    with serving(tmp_path, "private/scache", answer):
        assert run(use()) == [None, None, False]


def test_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use() -> Any:
        return await SessionCacheClient("scache", **TIMES).find("x")

    monkeypatch.chdir(tmp_path)
    assert run(use()) is None
