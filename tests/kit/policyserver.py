"""A policy service in threads of the test's process: it notes what it is asked, and answers as the test says."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from .double import HANG_UP, SILENCE, Double

__all__ = ["HANG_UP", "SILENCE", "Attributes", "PolicyServer"]

Attributes = dict[str, str]


class PolicyServer(Double):
    """Answers each request; what stands before HANG_UP in an answer is sent first."""

    def __init__(self, path: Path | None = None) -> None:
        self.answer: Callable[[Attributes], bytes] = lambda _asked: b"action=dunno\n\n"
        self.asked: list[Attributes] = []
        self.hangs_up_at_once = False
        super().__init__(path)

    def forget(self) -> None:
        """Begin a new test: close all connections, answer dunno."""
        self.answer = lambda _asked: b"action=dunno\n\n"
        self.asked.clear()
        self.hangs_up_at_once = False
        self.hang_up()
        self.connections = 0

    def welcomes(self) -> bool:
        return not self.hangs_up_at_once

    def serve(self, client: socket.socket) -> None:
        buffer = b""
        while True:
            while (end := buffer.find(b"\n\n")) < 0:
                data = client.recv(65536)
                if not data:
                    return
                buffer += data
            lines, buffer = buffer[:end], buffer[end + 2 :]
            asked = dict(line.split("=", 1) for line in lines.decode("utf-8", "surrogateescape").split("\n"))
            self.asked.append(asked)
            answer = self.answer(asked)
            if answer == SILENCE:
                continue
            client.sendall(answer.removesuffix(HANG_UP))
            if answer.endswith(HANG_UP):
                client.shutdown(socket.SHUT_RDWR)
                return
