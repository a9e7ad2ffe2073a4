from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pyfix.formats.attributes import AttributeListError, encode_pairs
from pyfix.runtime import ipc, ipc_sync
from tests.unit.runtime.servers import Answer, Question, Server, echo


def test_triggers(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen(5)
    assert ipc.trigger(str(tmp_path / "s"), b"W")
    ipc_sync.trigger(str(tmp_path / "s"), b"I")
    assert [listener.accept()[0].recv(10) for _ in range(2)] == [b"W", b"I"]
    os.mkfifo(tmp_path / "f")
    assert not ipc.trigger(str(tmp_path / "f"), b"W")
    reader = os.open(tmp_path / "f", os.O_RDONLY | os.O_NONBLOCK)
    ipc_sync.trigger(str(tmp_path / "f"), b"I")
    assert os.read(reader, 10) == b"I"
    assert not ipc.trigger(str(tmp_path / "none"), b"W")
    with pytest.raises(OSError, match="No such file"):
        ipc_sync.trigger(str(tmp_path / "none"), b"W")


def test_questions_of_commands(tmp_path: Path) -> None:
    Server(tmp_path / "s", echo)
    with ipc_sync.Connection(str(tmp_path / "s"), 5) as connection:
        assert connection.expect_handshake("test_protocol") == []
        assert connection.ask(Question("one"), Answer) == Answer(0, "ONE")
        assert connection.ask(Question("two"), Answer) == Answer(0, "TWO")


def test_commands_and_a_server_of_another_protocol(tmp_path: Path) -> None:
    def behave(connection: socket.socket, _number: int) -> None:
        connection.sendall(encode_pairs([("protocol", "other")]))

    Server(tmp_path / "s", behave)
    with ipc_sync.Connection(str(tmp_path / "s"), 5) as connection:
        with pytest.raises(AttributeListError, match="unexpected protocol"):
            connection.expect_handshake("test_protocol")
        assert connection.receive_pairs() is None
