"""A server that is out of order, in each of several ways: whatever service it is taken for, nothing good comes of it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Final

FAULTS: Final = ("down", "closes", "silent", "nonsense", "zeros", "text", "half", "stalls")
"""Not there; hangs up at once; says nothing; says what means nothing, in bytes, zeros, and lines; begins a good answer and
hangs up, or says no more."""
_NOISE: Final = {"nonsense": b"\xff\xfe\0\x01 nonsense\xff\n\n" * 4, "zeros": b"\0" * 64, "text": b"no service speaks like this\r\n" * 4}


class FaultyServer:
    """Has one port of 127.0.0.1 for as long as it lives."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.fault = "closes"
        self.beginning = b""
        """The first half of what a good service would answer to anything."""
        self.greeting = b""
        """What a good service says before it is asked."""
        self._threads: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, fault: str, greeting: bytes = b"", beginning: bytes = b"") -> None:
        """Be out of order in another way; all connections end."""
        self.fault, self.greeting, self.beginning = fault, greeting, beginning
        while self._threads:
            with suppress(OSError):
                self._threads.pop().shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(client)
            threading.Thread(target=self._serve, args=(client, self.fault), daemon=True).start()

    def _serve(self, client: socket.socket, fault: str) -> None:
        with suppress(OSError), client:
            if fault in _NOISE:
                client.sendall(_NOISE[fault])
            elif fault in ("half", "stalls"):
                client.sendall(self.greeting)
            elif fault != "silent":
                return
            while client.recv(65536):
                if fault in _NOISE:
                    client.sendall(_NOISE[fault])
                elif fault in ("half", "stalls"):
                    client.sendall(self.beginning)
                    if fault == "half":
                        return

    def close(self) -> None:
        """End the server and its connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.set("closes")
