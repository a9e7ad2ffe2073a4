"""What stand-ins for small servers share: a socket, clients in threads of the test's process, an end."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

HANG_UP = b"HANG UP"
"""An answer that stands for the end of the connection."""
SILENCE = b"SILENCE"
"""An answer that never comes."""
_WAITING = 200
"""Connections that nobody has accepted yet."""


class Double:
    """Listens at *path*, or on a free port of 127.0.0.1; subclasses say how a client is served."""

    def __init__(self, path: Path | None = None) -> None:
        self.connections = 0
        self._path = path
        if path is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
        else:
            path.unlink(missing_ok=True)
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            path.chmod(0o666)
            self._listener.listen(_WAITING)
        self.port: int = 0 if path else self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if not self.welcomes():
                client.close()
                continue
            self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            self.serve(client)

    def welcomes(self) -> bool:
        """Say whether a new client is served; else it sees the end of the connection at once."""
        return True

    def serve(self, client: socket.socket) -> None:
        """Serve one client; what the socket raises is its end."""
        raise NotImplementedError  # for the subclass

    def hang_up(self) -> None:
        """Close all connections; the server stays."""
        while self._open:
            with suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the server, and take its socket away."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        self._thread.join(5)
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
