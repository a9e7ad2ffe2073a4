from __future__ import annotations

import socket
import threading

from pyfix.runtime.loadtool import listeners
from pyfix.runtime.poll import Poll
from pyfix.runtime.server import Client, Server

LONG = b"x" * 3_000_000


class Echo(Client):
    """Answers each byte with a long text, and ends with the client."""

    def received(self, data: bytes) -> None:
        for _ in data:
            self.send(LONG)
            self.send(b".")

    def left(self, problem: str) -> None:
        assert problem == "lost connection"
        self.close()
        self.close()
        assert not self.is_open
        ended.append(self)
        server.ended()
        if len(ended) == 3:
            self.poll.stop()


ended: list[Echo] = []
server: Server


def test_no_more_clients_than_allowed() -> None:
    global server
    poll = Poll()
    sockets = listeners("127.0.0.1:0", "10", socket.AF_INET, 0)
    server = Server(poll, sockets, 1, lambda connection: Echo(poll, connection))
    address = sockets[0].getsockname()
    lengths: list[int] = []

    def talk() -> None:
        with socket.create_connection(address) as connection:
            connection.sendall(b"a")
            data = b""
            while not data.endswith(b"."):
                data += connection.recv(1 << 20)
            lengths.append(len(data))

    threads = [threading.Thread(target=talk, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    poll.run()
    for thread in threads:
        thread.join(20)
    assert lengths == [len(LONG) + 1] * 3
    for listening in sockets:
        listening.close()


def test_a_client_that_has_to_wait() -> None:
    poll = Poll()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    got: list[bytes] = []

    class Slow(Client):
        def received(self, data: bytes) -> None:
            got.append(data)
            self.pause()
            self.poll.later(0.01, self.resume)

        def left(self, _problem: str) -> None:
            self.close()

    client = Slow(poll, ours)
    theirs.send(b"a")
    poll.later(0.005, lambda: (theirs.send(b"b"), theirs.close())[1])
    poll.run()
    assert got == [b"a", b"b"]
    assert not client.is_open
