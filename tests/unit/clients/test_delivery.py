"""One delivery request, from qmgr(8)'s side."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from pyfix.clients.delivery import Agents, AgentsBusy
from pyfix.protocols.internal.delivery import STATUS_DEFER, DeliveryReply
from pyfix.protocols.internal.standing import STAYS
from pyfix.runtime.ipc import handshake
from pyfix.runtime.task import Waiter
from tests.unit.clients.server import run, serving

REQUEST = b"flags\x001\0\0"
GREETING = handshake("delivery_request_protocol")
FINAL = DeliveryReply().encode()
Answer = Callable[[socket.socket], None]


def call(folder: Path, answer: Answer, request: bytes = REQUEST, timeout: float = 5) -> DeliveryReply | str:
    async def ask() -> DeliveryReply | str:
        waiter: Waiter[DeliveryReply | str] = Waiter()
        Agents("private/smtp").ask(request, waiter.wake_soon, timeout)
        return await waiter

    with serving(folder, "private/smtp", answer):
        found: DeliveryReply | str = run(ask())
        return found


def saying(*pieces: bytes) -> Answer:
    def answer(connection: socket.socket) -> None:
        assert connection.recv(65536) == REQUEST + STAYS
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        for piece in pieces:
            connection.sendall(piece)
            threading.Event().wait(0.002)

    return answer


def test_the_usual_answer(tmp_path: Path) -> None:
    assert call(tmp_path, saying(GREETING + FINAL)) == DeliveryReply()


@pytest.mark.parametrize("cut", [1, 20, len(GREETING), len(GREETING) + 10, len(GREETING + FINAL) - 1])
def test_an_answer_in_pieces(tmp_path: Path, cut: int) -> None:
    data = GREETING + DeliveryReply("4.4.1", reason="no route", status=STATUS_DEFER).encode()
    reply = call(tmp_path, saying(data[:cut], data[cut:]))
    assert isinstance(reply, DeliveryReply)
    assert (reply.status, reply.dsn_status, reply.reason) == (STATUS_DEFER, "4.4.1", "no route")


def test_an_agent_that_greets_first_and_reads_late(tmp_path: Path) -> None:
    """As Postfix's agents do."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        data = b""
        while len(data) < 2000000:
            data += connection.recv(65536)
        connection.sendall(FINAL)

    assert call(tmp_path, answer, b"x" * 2000000) == DeliveryReply()


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (b"", "unexpected end-of-input"),
        (GREETING, "unexpected end-of-input"),
        (GREETING + FINAL[:-1], "unexpected end-of-input"),
        (handshake("other_protocol") + FINAL, "unexpected protocol [('protocol', 'other_protocol')]"),
        (GREETING + b"status\0\0\0", "missing attribute diag_type"),
    ],
)
def test_bad_agents(tmp_path: Path, said: bytes, problem: str) -> None:
    reply = call(tmp_path, saying(said))
    assert isinstance(reply, str) and problem in reply


def test_an_agent_that_dies_with_the_request_half_read(tmp_path: Path) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(10)
        os.close(connection.detach())

    reply = call(tmp_path, answer, b"x" * 2000000)
    assert isinstance(reply, str) and reply in ("unexpected end-of-input", "Connection reset by peer")


def test_a_silent_agent(tmp_path: Path) -> None:
    def answer(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    assert call(tmp_path, answer, timeout=0.05) == "timeout receiving delivery status"


def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def ask() -> None:
        Agents("private/none").ask(REQUEST, print, 5)

    with pytest.raises(FileNotFoundError):
        run(ask())


def test_all_agents_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        listener.listen(0)
        others = []
        with suppress(BlockingIOError):
            while True:
                other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                others.append(other)
                other.connect("s")

        async def ask() -> None:
            Agents("s").ask(REQUEST, print, 5)

        with pytest.raises(AgentsBusy):
            run(ask())
        for other in others:
            other.close()
        assert select.select([listener], [], [], 0)[0]


# -- connections that stay -----------------------------------------------------------------------------------------


def one_after_the_other(folder: Path, answer: Answer, count: int = 3) -> tuple[list[DeliveryReply | str], int]:
    """Return the replies to *count* requests to one transport, and the number of connections that they took."""

    async def ask() -> list[DeliveryReply | str]:
        agents = Agents("private/smtp")
        found = []
        for number in range(count):
            waiter: Waiter[DeliveryReply | str] = Waiter()
            agents.ask(b"flags\0%d\0\0" % number, waiter.wake_soon, 5)
            found.append(await waiter)
        return found

    with serving(folder, "private/smtp", answer) as connections:
        return run(ask()), len(connections)


def test_an_agent_that_stays_gets_the_next_request(tmp_path: Path) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(GREETING + FINAL + STAYS)
        while connection.recv(65536):
            connection.sendall(FINAL)

    assert one_after_the_other(tmp_path, answer) == ([DeliveryReply()] * 3, 1)


def test_an_agent_that_leaves_after_its_answer(tmp_path: Path) -> None:
    """Postfix's agents wait for their client to leave first."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(GREETING + FINAL)
        assert connection.recv(65536) == b""

    assert one_after_the_other(tmp_path, answer) == ([DeliveryReply()] * 3, 3)


def test_a_request_that_nobody_has_read_is_sent_again(tmp_path: Path) -> None:
    """An agent ends while the request is on its way."""
    gone = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(GREETING + FINAL + STAYS)
        if not gone.is_set():
            gone.set()
            select.select([connection], [], [])

    assert one_after_the_other(tmp_path, answer, 2) == ([DeliveryReply()] * 2, 2)


def test_a_request_that_was_read_is_not_sent_again(tmp_path: Path) -> None:
    """The agent may have delivered before it died."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(GREETING + FINAL + STAYS)
        connection.recv(65536)

    assert one_after_the_other(tmp_path, answer, 2) == ([DeliveryReply(), "unexpected end-of-input"], 1)
