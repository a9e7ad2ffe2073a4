"""A stand-in for cleanup(8) that keeps what it is told."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Self

from pyfix.protocols.internal.cleanup import NEXT_MESSAGE

Records = list[tuple[str, bytes]]


class Recorder:
    """Takes messages on cleanup's socket, and says that each is safe."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        path.chmod(0o777)
        self._listener.listen(10)
        self._messages: list[Records] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def messages(self) -> list[Records]:
        """Return the messages since the last call."""
        found, self._messages = self._messages, []
        return found

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        connection.sendall(b"protocol\0cleanup_protocol\0queue_id\0ABCDEF1234\0\0")
        data = b""
        while not data.endswith(b"E\0"):
            try:
                more = connection.recv(65536)
            except TimeoutError:
                return
            if not more:
                return
            data = (data + more).removesuffix(NEXT_MESSAGE)
        start = data.index(b"\0\0") + 2
        self._messages.append([("flags", data[:start]), *parse(data[start:])])
        connection.sendall(b"status\x000\x00reason\0\0\0")


def parse(data: bytes) -> Records:
    """Return the records up to the E record."""
    found = []
    at = 0
    while at < len(data):
        kind = chr(data[at])
        at += 1
        length = shift = 0
        while True:
            digit = data[at]
            at += 1
            length |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                break
        found.append((kind, data[at : at + length]))
        at += length
        if kind == "E":
            break
    return found
