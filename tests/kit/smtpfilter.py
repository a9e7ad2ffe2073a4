"""An SMTP server in threads of the test's process, for filters: it notes what it hears, and answers as the test says."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from typing import Self

_USUAL = {
    "EHLO": b"250-filter\r\n250-PIPELINING\r\n250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n250-DSN\r\n250 8BITMIME\r\n",
    "DATA": b"354 go on\r\n",
    "QUIT": b"221 bye\r\n",
    "greeting": b"220 filter ESMTP\r\n",
    ".": b"250 2.0.0 from the filter: ok\r\n",
}
HANG_UP = b""
"""A reply that stands for the end of the connection."""
SILENCE = b"SILENCE"
"""A reply that never comes."""


class SmtpFilter:
    """Listens on a free port of 127.0.0.1."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.replies: dict[str, bytes] = {}
        """By command; ``greeting``, and ``.`` for the end of the content."""
        self._heard: list[list[str]] = []
        self.begun = 0
        """Connections that were made."""
        self.ended = 0
        """Connections that are over."""
        self._counting = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def heard(self) -> list[str]:
        """What clients said, one connection after the other: one that ends may do so while the next begins."""
        return [line for lines in self._heard for line in lines]

    def idle(self) -> bool:
        """Say whether all connections are over, those that were made and not yet accepted included."""
        with self._counting:
            waiting, _, _ = select.select([self._listener], [], [], 0)
            return not waiting and self.ended == self.begun

    def forget(self) -> None:
        """Begin a new test."""
        self.replies = {}
        self._heard = []
        self.begun = self.ended = 0

    def _accept(self) -> None:
        while True:
            try:
                select.select([self._listener], [], [])
                with self._counting:
                    client, _ = self._listener.accept()
                    self.begun += 1
                    heard: list[str] = []
                    self._heard.append(heard)
            except (OSError, ValueError):
                return
            threading.Thread(target=self._serve, args=(client, heard), daemon=True).start()

    def _serve(self, client: socket.socket, heard: list[str]) -> None:
        with suppress(OSError), client, client.makefile("rb") as stream:
            self._talk(client, stream, heard)
        with self._counting:
            self.ended += 1

    def _talk(self, client: socket.socket, stream: object, heard: list[str]) -> None:
        verb = "greeting"
        in_content = False
        while True:
            if not in_content or verb == ".":
                reply = self.replies.get(verb, _USUAL.get(verb, b"250 2.0.0 the filter agrees\r\n"))
                if reply == HANG_UP:
                    return
                if reply != SILENCE:
                    client.sendall(reply)
                in_content = verb == "DATA" and reply.startswith(b"354")
            line = stream.readline()  # type: ignore[attr-defined]  # a file
            if not line:
                return
            heard.append(line.decode("utf-8", "surrogateescape").removesuffix("\r\n"))
            words = line.split()
            verb = words[0].decode("ascii", "replace").upper() if words and not in_content else ""
            if in_content:
                verb = "." if line == b".\r\n" else ""

    def close(self) -> None:
        """Stop listening."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
