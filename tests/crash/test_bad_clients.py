"""Clients that stall or vanish: they are hung up on in time, and leave nothing behind."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import requirements
from tests.kit.instance import STRANGER, TRUSTED, Instance
from tests.kit.processes import wait_until
from tests.kit.smtp import Dialogue

pytestmark = [pytest.mark.root]

EHLO, MAIL, RCPT = "EHLO client.example", "MAIL FROM:<sender@client.example>", "RCPT TO:<user@ours.example>"
POINTS: dict[str, tuple[list[str | bytes], bytes]] = {
    "connect": ([], b""),
    "half a first command": ([], b"EHL"),
    "EHLO": ([EHLO], b""),
    "MAIL": ([EHLO, MAIL], b""),
    "half a command": ([EHLO, MAIL], b"RCPT TO:<us"),
    "RCPT": ([EHLO, MAIL, RCPT], b""),
    "DATA": ([EHLO, MAIL, RCPT, "DATA"], b""),
    "header": ([EHLO, MAIL, RCPT, "DATA"], b"Subject: x\r\nTo:"),
    "content": ([EHLO, MAIL, RCPT, "DATA"], b"Subject: x\r\n\r\nsome text\r\n"),
    "much content": ([EHLO, MAIL, RCPT, "DATA"], b"Subject: x\r\n\r\n" + 10_000 * b"some text, again and again\r\n"),
    "nearly the end": ([EHLO, MAIL, RCPT, "DATA"], b"Subject: x\r\n\r\nsome text\r\n."),
    "BDAT": ([EHLO, MAIL, RCPT], b"BDAT 1000\r\n"),
    "chunk": ([EHLO, MAIL, RCPT], b"BDAT 1000\r\nSubject: x\r\n\r\n"),
    "between chunks": ([EHLO, MAIL, RCPT, b"BDAT 14\r\nSubject: x\r\n\r\n"], b""),
    "half a command between chunks": ([EHLO, MAIL, RCPT, b"BDAT 14\r\nSubject: x\r\n\r\n"], b"BDAT"),
}
"""Commands that are answered, and what is said after them."""

_QUEUES = ("incoming", "active", "deferred", "maildrop", "hold", "corrupt", "defer", "bounce", "trace")
TIMEOUT = 2


@pytest.fixture(scope="module")
def impatient() -> Iterator[Instance]:
    """An instance that waits for clients for two seconds only."""
    try:
        mta = Instance(
            main={"smtpd_timeout": f"{TIMEOUT}s", "ipc_timeout": "5s", "smtpd_client_connection_count_limit": "0"}
        )
    except requirements.MISSING as reason:
        requirements.missing(reason)
    with mta:
        yield mta.start()


def go_to(client: Dialogue, point: str) -> None:
    commands, rest = POINTS[point]
    for command in commands:
        (reply,) = client.say(command)
        assert reply[0] in "23", (point, reply)
    client.send(rest)


def files_left(mta: Instance) -> list[str]:
    return [
        str(path.relative_to(mta.queue_directory))
        for name in _QUEUES
        for path in (mta.queue_directory / name).rglob("*")
        if path.is_file()
    ]


def nothing_happened(mta: Instance) -> None:
    """Nothing is in the queue or was delivered, no bug was logged, and the next client is served."""
    assert wait_until(lambda: not files_left(mta), 10.0), files_left(mta)
    assert not mta.deliveries()
    queue_id = mta.send_message("user@ours.example")
    mta.wait_for_log(rf"{queue_id}: removed")
    assert len(mta.deliveries()["user/"]) == 1
    assert not [line for line in mta.log_lines() if re.search(r": (?:error|fatal|panic): ", line)]


@pytest.mark.parametrize("reset", [False, True], ids=["close", "reset"])
def test_clients_that_vanish(impatient: Instance, reset: bool) -> None:
    """At each point, by closing the connection or by a reset."""
    mta = impatient
    mta.forget()
    for point in POINTS:
        with mta.connect(TRUSTED) as client:
            go_to(client, point)
            if reset:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sessions_end(mta, len(POINTS))
    nothing_happened(mta)


def test_clients_leave_no_descriptor_and_no_count(impatient: Instance) -> None:
    """smtpd has as many open files as before, and anvil counts nobody: as many as may connect can connect again."""
    mta = impatient
    mta.forget()
    limit = 3
    mta.write_main(smtpd_client_connection_count_limit=str(limit))
    mta.reload()
    assert wait_until(lambda: not mta.pids_of("smtpd"), 5.0)
    rounds = 0

    def vanish(point: str, how: str) -> None:
        nonlocal rounds
        rounds += 1
        with mta.connect(STRANGER) as client:
            go_to(client, point)
            if how == "reset":
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            elif how == "half-closed":
                client.socket.shutdown(socket.SHUT_WR)
        sessions_end(mta, rounds)

    def open_files() -> int:
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in mta.pids_of("smtpd"))

    vanish("content", "close")  # connections to other services that stay, stay from here on
    mta.settle()
    before = open_files()
    for how in ("close", "reset", "half-closed"):
        for point in POINTS:
            vanish(point, how)
    assert wait_until(lambda: open_files() <= before, 10.0), (before, open_files())
    clients = [mta.connect(STRANGER) for _ in range(limit + 1)]
    greetings = [client.greeting[:3] for client in clients]
    for client in clients:
        client.close()
    sessions_end(mta, rounds + limit + 1)
    mta.write_main(smtpd_client_connection_count_limit="0")
    mta.reload()
    assert greetings == ["220"] * limit + ["421"]
    nothing_happened(mta)


def test_clients_that_stall(impatient: Instance) -> None:
    """At each point, all at the same time: they are told so after smtpd_timeout, and hung up on."""
    mta = impatient
    mta.forget()
    clients: dict[str, Dialogue] = {}
    for point in POINTS:
        clients[point] = mta.connect(TRUSTED)
        go_to(clients[point], point)
    for point, client in clients.items():
        last = ""
        while not (reply := client.reply()).endswith("<closed>"):
            last = reply
        client.close()
        assert last == "421 4.4.2 mail.ours.example Error: timeout exceeded", point
    nothing_happened(mta)


def test_clients_that_do_not_read(impatient: Instance) -> None:
    """One that speaks and never listens is hung up on as well."""
    mta = impatient
    mta.forget()
    with socket.create_connection((mta.host, mta.port), 30.0, source_address=(TRUSTED, 0)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(3000):
                client.sendall(500 * b"EHLO x\r\n")
    sessions_end(mta, 1)
    nothing_happened(mta)


def sessions_end(mta: Instance, count: int) -> None:
    """Wait until the log has the end of as many sessions."""
    mta.wait_for_log(r"smtpd\[\d+\]: disconnect from ", 20.0, count=count)
