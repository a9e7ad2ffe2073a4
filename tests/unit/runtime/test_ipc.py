from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from pyfix.formats.attributes import encode_pairs
from pyfix.runtime import ipc
from pyfix.runtime.task import gather, sleep
from tests.unit.runtime.forked import on_loop, until
from tests.unit.runtime.servers import GREETING, Answer, Question, Server, echo


def asked(path: Path, text: str) -> str:
    async def test() -> str:
        try:
            return (await ipc.call(str(path), "test_protocol", Question(text), Answer, 0.5)).text
        except ipc.ServiceError as error:
            return f"ServiceError: {str(error).removeprefix(str(path) + ': ')}"

    said = on_loop(test)
    assert isinstance(said, str)
    return said


def test_call(tmp_path: Path) -> None:
    async def test() -> str:
        Server(tmp_path / "s", echo)
        return (await ipc.call(str(tmp_path / "s"), "test_protocol", Question("hello"), Answer, 5)).text

    assert on_loop(test) == "HELLO"


def test_nobody_there(tmp_path: Path) -> None:
    assert asked(tmp_path / "s", "x").startswith("ServiceError: connect to ")


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (b"", "end of input"),
        (encode_pairs([("protocol", "other")]), "unexpected protocol"),
        (GREETING, "end of input"),
        (GREETING + b"status\x000\0tex", "end of input in an attribute list"),
        (GREETING + encode_pairs([("status", "0")]), "missing attribute text"),
        (GREETING + encode_pairs([("status", "zero"), ("text", "")]), "malformed value of attribute status"),
    ],
)
def test_bad_servers(tmp_path: Path, said: bytes, complaint: str) -> None:
    def behave(connection: socket.socket, _number: int) -> None:
        connection.sendall(said)
        connection.recv(1000)

    async def test() -> str:
        Server(tmp_path / "s", behave)
        try:
            await ipc.call(str(tmp_path / "s"), "test_protocol", Question("x"), Answer, 5)
        except ipc.ServiceError as error:
            return str(error)
        return "no error"

    assert complaint in str(on_loop(test))


def test_silent_server(tmp_path: Path) -> None:
    async def test() -> str:
        def listen(connection: socket.socket, _number: int) -> None:
            while connection.recv(1000):
                pass

        Server(tmp_path / "s", listen)
        try:
            await ipc.call(str(tmp_path / "s"), "test_protocol", Question("x"), Answer, 0.1)
        except ipc.ServiceError as error:
            return str(error)
        return "no error"

    assert "Connection timed out" in str(on_loop(test))


def test_service_keeps_its_connection(tmp_path: Path) -> None:
    async def test() -> list[object]:
        server = Server(tmp_path / "s", echo)
        service = ipc.Service(str(tmp_path / "s"), "test_protocol", timeout=5)
        seen: list[object] = [(await service.ask(Question(text), Answer)).text for text in ("a", "b", "c")]
        return [*seen, server.connections]

    assert on_loop(test) == ["A", "B", "C", 1]


def test_service_replaces_a_connection_that_the_server_closed(tmp_path: Path) -> None:
    def one_answer(connection: socket.socket, number: int) -> None:
        connection.sendall(GREETING)
        connection.recv(1000)
        connection.sendall(encode_pairs([("status", "0"), ("text", str(number))]))

    async def test() -> list[object]:
        Server(tmp_path / "s", one_answer)
        service = ipc.Service(str(tmp_path / "s"), "test_protocol", timeout=5)
        seen: list[object] = []
        for pause in (0.02, 0, 0.02):
            seen.append((await service.ask(Question("x"), Answer)).text)
            await sleep(pause)
        return seen

    assert on_loop(test) == ["1", "2", "3"]


def test_service_closes_idle_connections(tmp_path: Path) -> None:
    async def test() -> list[object]:
        ended: list[int] = []

        def behave(connection: socket.socket, number: int) -> None:
            echo(connection, number)
            ended.append(number)

        Server(tmp_path / "s", behave)
        service = ipc.Service(str(tmp_path / "s"), "test_protocol", timeout=5, idle=0.1)
        await service.ask(Question("x"), Answer)
        before = list(ended)
        await until(lambda: ended)
        return [before, list(ended)]

    assert on_loop(test) == [[], [1]]


def test_lists_in_pieces_and_together(tmp_path: Path) -> None:
    data = encode_pairs([("status", "0"), ("text", "one")]) + encode_pairs([("status", "0"), ("text", "two")])

    async def test() -> list[object]:
        found: list[object] = []
        for cut in range(0, len(data), 7):

            def behave(connection: socket.socket, _number: int, cut: int = cut) -> None:
                connection.sendall(data[:cut])
                threading.Event().wait(0.003)
                connection.sendall(data[cut:])

            path = tmp_path / f"s{cut}"
            Server(path, behave)
            stream = await ipc.connect(str(path), 5)
            found.append([(await ipc.receive(stream, Answer)).text, (await ipc.receive(stream, Answer)).text])
            found.append(await ipc.receive_list(stream))
        return found

    found = on_loop(test)
    assert isinstance(found, list) and len(found) > 8
    assert all(one in (["one", "two"], None) for one in found)


def test_full_listen_queue_is_waited_for(tmp_path: Path) -> None:
    async def test() -> bool:
        path = str(tmp_path / "s")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(0)
        listener.setblocking(False)
        others = []
        for _ in range(5):
            other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            with suppress(BlockingIOError):
                other.connect(path)
                others.append(other)

        async def accept_later() -> None:
            await sleep(0.05)
            with suppress(BlockingIOError):
                while True:
                    others.append(listener.accept()[0])

        async def connect() -> None:
            (await ipc.connect(path, 5)).close()

        await gather(connect(), accept_later())
        return len(others) >= 2

    assert on_loop(test) is True
