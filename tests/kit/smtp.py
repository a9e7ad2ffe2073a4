"""An SMTP client for tests: it sends exactly what it is told and returns the replies as they came."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

CLOSED = "<closed>"
"""Stands for a reply when the server has closed the connection instead."""


@dataclass(frozen=True)
class Raw:
    """Bytes to send as they are, and the number of replies that they bring."""

    data: bytes
    replies: int = 1


Line = str | bytes | Raw
"""A ``str`` is sent with CR LF at its end; ``bytes`` as they are; each brings one reply."""


class Dialogue:
    """One SMTP connection."""

    def __init__(self, host: str, port: int, client: str = "127.0.0.1", timeout: float = 30.0) -> None:
        self.socket = socket.create_connection((host, port), timeout, source_address=(client, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = self.socket.makefile("rb")
        self.greeting = self.reply()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection without QUIT."""
        self._stream.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes and wait for nothing."""
        self.socket.sendall(data)

    def reply(self) -> str:
        """Return the next reply, its lines joined by LF; CLOSED at the end of the connection."""
        lines: list[str] = []
        while True:
            try:
                line = self._stream.readline(100_000)
            except ConnectionResetError:
                line = b""
            if not line:
                return "\n".join([*lines, CLOSED])
            lines.append(line.decode("utf-8", "surrogateescape").rstrip("\r\n"))
            if lines[-1][3:4] != "-":
                return "\n".join(lines)

    def say(self, line: Line) -> list[str]:
        """Send one line (see Line) and return what it brings."""
        match line:
            case Raw(data, replies):
                pass
            case bytes():
                data, replies = line, 1
            case str():
                data, replies = line.encode("utf-8", "surrogateescape") + b"\r\n", 1
        # What the server said before it closed the connection is there although it takes no more.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send(data)
        return [self.reply() for _ in range(replies)]


def dialogue(host: str, port: int, lines: Sequence[Line], client: str = "127.0.0.1") -> tuple[str, list[str]]:
    """Say the lines one by one; return the greeting and the replies."""
    with Dialogue(host, port, client) as connection:
        return connection.greeting, [reply for line in lines for reply in connection.say(line)]


def dot_stuffed(content: bytes) -> bytes:
    """Return a message (lines ending in LF or CR LF) as DATA carries it, the final dot included."""
    lines = content.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")
    return b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines) + b".\r\n"
