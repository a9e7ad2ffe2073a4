"""Small servers that tables ask, in threads of the test's process: tcp_table(5) lines and socketmap netstrings."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

HANG_UP = b"HANG UP"
"""An answer that stands for the end of the connection."""
SILENCE = b"SILENCE"
"""An answer that never comes."""


class TableServer:
    """Answers requests of any number of clients; what was asked is in ``asked``."""

    def __init__(self, answers: Mapping[bytes, bytes], default: bytes, path: Path | None = None) -> None:
        """*answers*: request's key -> bytes to send.  Listens at *path*, or on a free port of 127.0.0.1."""
        self.answers = dict(answers)
        self.default = default
        self.asked: list[bytes] = []
        self.connections = 0
        if path is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            path.chmod(0o666)
            self._listener.listen(50)
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
            self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        buffer = b""
        with suppress(OSError), client:
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
        raise NotImplementedError

    def hang_up(self) -> None:
        """Close all connections; the server stays."""
        while self._open:
            with suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the server."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        self._thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


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


