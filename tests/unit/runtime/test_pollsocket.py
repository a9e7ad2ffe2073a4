"""Connections of load tools; their two kinds are in test_client.py and test_server.py."""

from __future__ import annotations

import socket

from pyfix.runtime.poll import Poll
from pyfix.runtime.pollsocket import PollSocket


class Kept(PollSocket):
    """Keeps what arrives."""

    def __init__(self, poll: Poll, connection: socket.socket) -> None:
        super().__init__(poll, connection)
        self.heard: list[bytes] = []

    def arrived(self, data: bytes) -> None:
        self.heard.append(data)
        if not data or data.endswith(b"."):
            self.poll.stop()


def test_much_is_sent_piece_by_piece() -> None:
    """What the kernel does not take leaves when the other end has read some of it."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    poll = Poll()
    sender, receiver = Kept(poll, ours), Kept(poll, theirs)
    receiver.watch()
    sender.watch()
    sender.send(b"x" * 3_000_000)
    sender.send(b"y.")
    poll.run()
    assert b"".join(receiver.heard) == b"x" * 3_000_000 + b"y."
    theirs.close()
    poll.forget(theirs.fileno())


def test_the_end() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    poll = Poll()
    listener = Kept(poll, ours)
    listener.watch()
    theirs.close()
    poll.run()
    assert listener.heard == [b""]
    listener.send(b"nobody hears it")
