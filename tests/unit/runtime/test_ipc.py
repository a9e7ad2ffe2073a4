from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from pyfix.formats.attributes import AttributeListError, Attributes, encode_pairs
from pyfix.runtime import ipc, ipc_sync
from pyfix.runtime.task import gather, sleep
from tests.unit.runtime.forked import on_loop, until


@dataclass(frozen=True, slots=True)
class Question(Attributes):
    request: Literal["ask"] = field(default="ask", init=False)
    text: str


@dataclass(frozen=True, slots=True)
class Answer(Attributes):
    status: int
    text: str


GREETING = encode_pairs([("protocol", "test_protocol")])


class Server:
    """A server in a thread, one connection after the other, that does what *behave* does with each."""

    def __init__(self, path: Path, behave: Callable[[socket.socket, int], None]) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(50)
        self._behave = behave
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _address = self._listener.accept()
            self.connections += 1
            with connection:
                self._behave(connection, self.connections)


def echo(connection: socket.socket, _number: int) -> None:
    connection.sendall(GREETING)
    while data := connection.recv(1000):
        text = data.split(b"\0")[3].decode()
        connection.sendall(encode_pairs([("status", "0"), ("text", text.upper())]))


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


def test_triggers(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen(5)
    assert ipc.trigger(str(tmp_path / "s"), b"W")
    ipc_sync.trigger(str(tmp_path / "s"), b"I")
    assert [listener.accept()[0].recv(10) for _ in range(2)] == [b"W", b"I"]
    os.mkfifo(tmp_path / "f")
    assert not ipc.trigger(str(tmp_path / "f"), b"W")
    reader = os.open(tmp_path / "f", os.O_RDONLY | os.O_NONBLOCK)
    ipc_sync.trigger(str(tmp_path / "f"), b"I")
    assert os.read(reader, 10) == b"I"
    assert not ipc.trigger(str(tmp_path / "none"), b"W")
    with pytest.raises(OSError, match="No such file"):
        ipc_sync.trigger(str(tmp_path / "none"), b"W")


def test_questions_of_commands(tmp_path: Path) -> None:
    Server(tmp_path / "s", echo)
    with ipc_sync.Connection(str(tmp_path / "s"), 5) as connection:
        assert connection.expect_handshake("test_protocol") == []
        assert connection.ask(Question("one"), Answer) == Answer(0, "ONE")
        assert connection.ask(Question("two"), Answer) == Answer(0, "TWO")


def test_commands_and_a_server_of_another_protocol(tmp_path: Path) -> None:
    def behave(connection: socket.socket, _number: int) -> None:
        connection.sendall(encode_pairs([("protocol", "other")]))

    Server(tmp_path / "s", behave)
    with ipc_sync.Connection(str(tmp_path / "s"), 5) as connection:
        with pytest.raises(AttributeListError, match="unexpected protocol"):
            connection.expect_handshake("test_protocol")
        assert connection.receive_pairs() is None
