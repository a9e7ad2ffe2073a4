"""A filter behind the queue, in threads of the test's process: an SMTP server that says all it hears to the next server,
with a header of its own before the content, and the answers back."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

HEADER = b"X-Filtered: yes\r\n"
_SECONDS = 10.0


class Reinjector:
    """Listens on a free port of 127.0.0.1 and speaks to ``target`` for its clients."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.target = ("127.0.0.1", 0)
        """Where filtered mail goes."""
        self.refusals: dict[bytes, bytes] = {}
        """Replies of its own, by command; those commands are not handed on."""
        self.heard: list[str] = []
        """Commands, with a word for what is another one each time."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(self.target, _SECONDS) as server:
            client.settimeout(_SECONDS)
            with client.makefile("rb") as said, server.makefile("rb") as answered:
                client.sendall(_reply(answered))
                while line := said.readline():
                    verb = line.split()[0].upper() if line.split() else b""
                    self.heard.append(_steady(line.decode("utf-8", "surrogateescape").rstrip("\r\n")))
                    if (own := self.refusals.get(verb)) is not None:
                        client.sendall(own)
                        continue
                    server.sendall(line)
                    reply = _reply(answered)
                    client.sendall(reply)
                    if verb == b"DATA" and reply.startswith(b"354"):
                        server.sendall(HEADER + b"".join(_content(said)))
                        client.sendall(_reply(answered))

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def reinjector() -> Iterator[Reinjector]:
    """Run one until the end of the block."""
    found = Reinjector()
    try:
        yield found
    finally:
        found.close()


def _reply(stream: BinaryIO) -> bytes:
    lines = b""
    while line := stream.readline():
        lines += line
        if line[3:4] != b"-":
            break
    return lines


def _content(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a message up to its end."""
    while line := stream.readline():
        yield line
        if line == b".\r\n":
            return


def _steady(command: str) -> str:
    """Return a command without ports, queue ids and sizes."""
    command = re.sub(r"\b(PORT|SIZE)=\d+", r"\1=<\1>", command)
    return re.sub(r"\bIDENT=\w+", "IDENT=<IDENT>", command)
