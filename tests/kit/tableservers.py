"""Small servers that tables ask, in threads of the test's process: tcp_table(5) lines and socketmap netstrings."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

from .double import HANG_UP, SILENCE, Double

__all__ = ["HANG_UP", "SILENCE", "SocketmapServer", "TableServer", "TcpServer", "netstring"]


class TableServer(Double):
    """Answers requests of any number of clients; what was asked is in ``asked``."""

    def __init__(self, answers: Mapping[bytes, bytes], default: bytes, path: Path | None = None) -> None:
        """*answers*: request's key -> bytes to send."""
        self.answers = dict(answers)
        self.default = default
        self.asked: list[bytes] = []
        super().__init__(path)

    def serve(self, client: socket.socket) -> None:
        buffer = b""
        while True:
            while (request := self.request(buffer)) is None:
                data = client.recv(65536)
                if not data:
                    return
                buffer += data
            key, buffer = request
            self.asked.append(key)
            answer = self.answers.get(key, self.default)
            if answer == HANG_UP:
                return
            if answer != SILENCE:
                client.sendall(answer)

    def request(self, buffer: bytes) -> tuple[bytes, bytes] | None:
        """Return the first key in *buffer* and the rest, None when it is not complete."""
        raise NotImplementedError  # for the subclass


class TcpServer(TableServer):
    """``get KEY`` lines; keys are as they were sent, encoded."""

    def __init__(self, answers: Mapping[bytes, bytes], default: bytes = b"500 none\n") -> None:
        super().__init__(answers, default)

    def request(self, buffer: bytes) -> tuple[bytes, bytes] | None:
        line, newline, rest = buffer.partition(b"\n")
        return (line.removeprefix(b"get "), rest) if newline else None


def netstring(data: bytes) -> bytes:
    """Return *data* as a netstring."""
    return b"%d:%b," % (len(data), data)


class SocketmapServer(TableServer):
    """``NAME KEY`` netstrings; keys are without the name."""

    def __init__(
        self, answers: Mapping[bytes, bytes], default: bytes = netstring(b"NOTFOUND "), path: Path | None = None
    ) -> None:
        super().__init__(answers, default, path)

    def request(self, buffer: bytes) -> tuple[bytes, bytes] | None:
        length, colon, rest = buffer.partition(b":")
        if not colon or len(rest) <= int(length):
            return None
        return rest[: int(length)].partition(b" ")[2], rest[int(length) + 1 :]


