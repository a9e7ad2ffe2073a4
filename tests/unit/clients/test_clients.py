"""The clients of internal services, each against a small server."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from pyfix.clients.anvil import MESSAGE, AnvilClient
from pyfix.clients.cleanup import NewMessage, UnknownOverride, input_flags
from pyfix.clients.flush import FlushClient
from pyfix.clients.resolve import Resolver, rewrite_service
from pyfix.clients.rewrite import Rewriter
from pyfix.clients.verify import VerifyClient
from pyfix.formats.records import TEXT, encode_record
from pyfix.protocols.internal import cleanup as bits
from pyfix.protocols.internal.flush import FAILED, OK
from pyfix.runtime import task
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.task import gather

from .server import null_list, requests, run, serving

TIMES = {"timeout": 5.0, "idle": 5.0, "ttl": 1000.0}


def trivial_rewrite(flags: str = "0") -> Any:
    def answer(connection: socket.socket) -> None:
        connection.sendall(null_list("protocol", "trivial_rewrite_protocol"))
        for request in requests(connection):
            words = request.split("\0")
            if words[1] == "rewrite":
                connection.sendall(null_list("flags", flags, "address", f"{words[5]}@{words[3]}"))
            else:
                reply = ("flags", flags, "transport", words[1], "nexthop", "n", "recipient", words[5], "flags", "256")
                connection.sendall(null_list(*reply))

    return answer


def test_resolve(tmp_path: Path) -> None:
    async def ask() -> list[Any]:
        resolver = Resolver(rewrite_service("rewrite", **TIMES))
        assert resolver.remembered("s", "a@b") is None
        first = await resolver.resolve("s", "a@b")
        assert resolver.remembered("s", "a@b") is first
        assert resolver.remembered("t", "a@b") is None
        assert await resolver.resolve("s", "a@b") is first
        return [first, await resolver.resolve_probe("s", "c@d")]

    with serving(tmp_path, "private/rewrite", trivial_rewrite()):
        plain, probe = run(ask())
    assert (plain.transport, plain.recipient, plain.resolve_flags) == ("resolve", "a@b", 256)
    assert (probe.transport, probe.recipient) == ("verify", "c@d")


def test_changed_tables_are_forgotten(tmp_path: Path) -> None:
    async def ask() -> None:
        service = rewrite_service("rewrite", **TIMES)
        resolver, rewriter = Resolver(service), Rewriter(service)
        await resolver.resolve("s", "a@b")
        assert resolver.remembered("s", "a@b") is None
        assert await rewriter.rewrite("x", "local") == "x@local"
        assert not rewriter._known

    with serving(tmp_path, "private/rewrite", trivial_rewrite("1")) as connections:
        run(ask())
    assert len(connections) == 2


def test_rewrite(tmp_path: Path) -> None:
    async def ask() -> list[str]:
        rewriter = Rewriter(rewrite_service("rewrite", **TIMES))
        answers = [await rewriter.rewrite("x", "local"), await rewriter.rewrite("x", "remote")]
        answers.append(await rewriter.rewrite_internal("a b", "local"))
        return answers

    with serving(tmp_path, "private/rewrite", trivial_rewrite()):
        assert run(ask()) == ["x@local", "x@remote", "a b@local"]


def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pyfix.clients.resolve._PAUSE", 0.01)
    resolver = Resolver(rewrite_service("rewrite", **TIMES))
    with pytest.raises(ServiceError, match="No such file"):
        run(resolver.resolve("s", "a@b"))


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


def test_flags() -> None:
    everything = bits.FILTER | bits.BCC_OK | bits.MAP_OK
    assert input_flags([]) == everything
    assert input_flags(["no_address_mappings"]) == bits.FILTER
    assert input_flags(["no_header_body_checks", "no_unknown_recipient_checks"]) == bits.BCC_OK | bits.MAP_OK
    assert input_flags([], milters=True) == everything | bits.MILTER
    with pytest.raises(UnknownOverride, match="nonsense"):
        input_flags(["nonsense"])


def test_new_message(tmp_path: Path) -> None:
    received: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        connection.sendall(null_list("protocol", "cleanup_protocol", "queue_id", "ABC"))
        data = b""
        while not data.endswith(b"E\0"):
            more = connection.recv(65536)
            if not more:
                break
            data += more
        received.append(data)
        connection.sendall(null_list("status", "8", "reason", "550 5.7.1 no"))

    async def send(count: int) -> Any:
        message = await NewMessage.open("cleanup", 178, 5)
        assert message.queue_id == "ABC"
        for _ in range(count):
            message.write(encode_record(TEXT, b"x" * 1000))
            await message.relieve()
        message.write(b"E\0")
        return await message.finish()

    async def cancel() -> None:
        (await NewMessage.open("cleanup", 178, 5)).cancel()

    with serving(tmp_path, "public/cleanup", answer):
        status = run(send(3000))
        run(cancel())
    assert (status.status, status.reason) == (8, "550 5.7.1 no")
    assert received[0].startswith(null_list("flags", "178"))
    assert received[0].count(b"x" * 1000) == 3000


def test_cleanup_that_hangs_up(tmp_path: Path) -> None:
    with serving(tmp_path, "public/cleanup", lambda connection: None), pytest.raises(ServiceError):
        run(NewMessage.open("cleanup", 0, 5))


def test_verify(tmp_path: Path) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(null_list("protocol", "address_verification_prrotocol"))
        for request in requests(connection):
            if request.startswith("request\0query"):
                connection.sendall(null_list("status", "0", "recipient_status", "2", "reason", "gone"))
            else:
                connection.sendall(null_list("status", "4294967295"))

    async def ask() -> Any:
        client = VerifyClient("verify", **TIMES)
        probe = await client.query("a@b")
        with pytest.raises(ServiceError, match="refused"):
            await client.update("a@b", 0, "")
        return probe

    with serving(tmp_path, "private/verify", answer):
        assert run(ask()) == (2, "gone")


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


def test_loop_helper_raises() -> None:
    async def fail() -> None:
        await task.sleep(0.01)
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        run(fail())
