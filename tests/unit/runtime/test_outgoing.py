from __future__ import annotations

import socket
from pathlib import Path

from pyfix.runtime.outgoing import Address, connect, new_socket
from tests.unit.runtime.forked import on_loop


def outcome(address: Address, timeout: float = 10.0) -> str:
    async def test() -> str:
        connection = new_socket(address)
        try:
            await connect(connection, address, timeout)
        except OSError as error:
            return error.strerror
        finally:
            connection.close()
        return "connected"

    result: str = on_loop(test)
    return result


def test_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = ("127.0.0.1", listener.getsockname()[1])
        assert outcome(address) == "connected"
    assert outcome(address) == "Connection refused"


def test_a_path(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    assert outcome(path) == "No such file or directory"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        assert outcome(path) == "Connection refused"
        listener.listen()
        assert outcome(path) == "connected"


def test_nobody_answers() -> None:
    """A listener whose queue is full drops what comes."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = []
        for _ in range(3):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(address)
        assert outcome(address, 0.2) == "Connection timed out"
        for one in waiting:
            one.close()
