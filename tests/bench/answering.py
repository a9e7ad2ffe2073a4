"""A server that answers each whole request of many clients, in a process of its own, the same for both sides."""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answers = Callable[[bytearray], bytes]
"""Takes the whole requests of what a client has said, and returns what they bring."""


@contextmanager
def running(module: str) -> Iterator[int]:
    """Run *module*, which calls ``answer``; yields its port."""
    process = subprocess.Popen([sys.executable, "-m", module], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)


def answer(answers: Answers) -> None:
    """Say on standard output on which port of 127.0.0.1 we are, and serve clients for ever."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
        print(listener.getsockname()[1], flush=True)
        _serve(listener, answers)


def _serve(server: socket.socket, answers: Answers) -> None:
    selector = selectors.DefaultSelector()
    selector.register(server, selectors.EVENT_READ, None)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                client, _ = server.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(client, selectors.EVENT_READ, bytearray())
                continue
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            try:
                data = connection.recv(65536)
                key.data.extend(data)
                if data and (said := answers(key.data)):
                    connection.sendall(said)
            except OSError:
                data = b""
            if not data:
                selector.unregister(connection)
                connection.close()
