from __future__ import annotations

import socket

import pytest

from pyfix.commands import qmqp_sink
from tests.kit.loadtools import sink
from tests.unit.commands.running import call


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        ([b"5:hello,"], b"3:KOk,"),
        ([b"5:he", b"llo", b","], b"3:KOk,"),
        ([b"5", b":hello,rest"], b"3:KOk,"),
        ([b"5:hello;"], b""),
        ([b"x:"], b""),
        ([b"1" * 30], b""),
    ],
)
def test_a_delivery(data: list[bytes], reply: bytes) -> None:
    with sink("pyfix", "qmqp-sink") as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.settimeout(20)
        for piece in data:
            client.sendall(piece)
        found = b""
        try:
            while more := client.recv(100):
                found += more
        except ConnectionResetError:
            pass
        assert found == reply


def test_usage() -> None:
    done = call(qmqp_sink.main, "127.0.0.1:1", name="qmqp-sink")
    assert (done.status, done.err) == (1, ["qmqp-sink: fatal: usage: qmqp-sink [-cv] [-x time] [host]:port backlog"])
