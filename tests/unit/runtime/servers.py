"""A server of attribute lists in a thread, for clients of both kinds."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pyfix.formats.attributes import Attributes, encode_pairs


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
