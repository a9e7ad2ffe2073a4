from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from pyfix.runtime.client import Clients, Connection
from pyfix.runtime.console import CommandError
from pyfix.runtime.poll import Poll

if TYPE_CHECKING:
    from pyfix.runtime.client import Dialogue
    from pyfix.runtime.loadtool import Address

LONG = b"x" * 3_000_000


def _echo(listening: socket.socket, count: int) -> None:
    for _ in range(count):
        connection, _ = listening.accept()
        with connection:
            data = b""
            while not data.endswith(b"."):
                data += connection.recv(65536)
            connection.sendall(b"%d" % len(data))


def _clients(address: Address, messages: int, tries: int = 1) -> Clients:
    return Clients(Poll(), address, window=0, tries=tries, messages=messages)


def test_dialogues_side_by_side() -> None:
    answers: list[bytes | None] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_echo, args=(listening, 5), daemon=True)
        thread.start()
        clients = _clients((int(socket.AF_INET), listening.getsockname()), 5)

        def talk(connection: Connection) -> Dialogue:
            connection.send(LONG)
            connection.send(b".")
            answers.append((yield))
            clients.another()

        clients.talk = talk
        clients.start(2)
        clients.poll.run()
        thread.join(20)
    assert answers == [b"%d" % (len(LONG) + 1)] * 5
    assert clients.left == 0


def test_a_connection_that_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = (int(socket.AF_INET), listening.getsockname())
    clients = _clients(address, 1, tries=3)
    with pytest.raises(CommandError, match="connect: Connection refused"):
        clients.start(1)
        clients.poll.run()
    missing = _clients((int(socket.AF_UNIX), "/nowhere"), 1)
    with pytest.raises(CommandError, match="connect: No such file or directory"):
        missing.start(1)
        missing.poll.run()


def test_pauses() -> None:
    clients = _clients((int(socket.AF_UNIX), "/nowhere"), 1)
    assert clients.delay() == 0
    clients.random_delay = 3
    assert {clients.delay() for _ in range(200)} == {0, 1, 2, 3}
    clients.fixed_delay, clients.random_delay = 2, 0
    assert clients.delay() == 2
