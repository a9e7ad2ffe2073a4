"""smtpd(8) as a process, with real connections."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.daemons.smtpd import daemon as smtpd
from pyfix.formats.attributes import encode_pairs
from pyfix.tables.build import build_table
from tests.unit.daemons.running import SECONDS, Running, System, running, start
from tests.unit.daemons.services import Cleanup, Rewrite


class Smtp:
    """A client that says a line and reads the reply."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(SECONDS)
        self.socket = connection
        self._file = connection.makefile("rb")

    def reply(self) -> list[str]:
        """Return the lines of the next reply; none at the end."""
        lines: list[str] = []
        while line := self._file.readline():
            lines.append(line.decode().rstrip("\r\n"))
            if line[3:4] != b"-":
                break
        return lines

    def say(self, text: str) -> str:
        """Say a line; return the last line of the reply."""
        self.socket.sendall(f"{text}\r\n".encode())
        return ["", *self.reply()][-1]


def configure(system: System, **main: str) -> None:
    system.write_main(
        **{
            "virtual_mailbox_domains": "ours.example", "virtual_mailbox_maps": "inline:{user@ours.example=x}",
            "smtpd_client_connection_count_limit": "0", "smtpd_peername_lookup": "no",
            "smtpd_relay_restrictions": "reject_unauth_destination", **main,
        }
    )  # fmt: skip


@pytest.fixture
def daemon(system: System) -> Iterator[Running]:
    configure(system)
    Rewrite(system, ours_example="virtual")
    with running(smtpd.main, system, "smtp", kind="inet") as found:
        yield found


def connect(daemon: Running) -> Smtp:
    client = Smtp(daemon.connect().socket)
    assert client.reply() == ["220 mail.ours.example ESMTP Postfix"]
    return client


def test_a_message(daemon: Running) -> None:
    cleanup = Cleanup(daemon.system)
    client = connect(daemon)
    assert client.say("HELO client.test") == "250 mail.ours.example"
    assert client.say("MAIL FROM:<a@x.example>") == "250 2.1.0 Ok"
    assert client.say("RCPT TO:<joe@mail.ours.example>") == "250 2.1.5 Ok"
    assert client.say("DATA") == "354 End data with <CR><LF>.<CR><LF>"
    assert client.say("Subject: x\r\n\r\nhello\r\n.") == "250 2.0.0 Ok: queued as NEW456"
    taken = cleanup.next()
    assert (taken.values("S"), taken.values("R")) == (["a@x.example"], ["joe@mail.ours.example"])
    assert taken.lines()[-3:] == ["Subject: x", "", "hello"]
    assert client.say("QUIT") == "221 2.0.0 Bye" and client.reply() == []
    assert daemon.system.logged("disconnect")[-1] == (
        "smtpd: disconnect from unknown[127.0.0.1] helo=1 mail=1 rcpt=1 data=1 quit=1 commands=5"
    )


def test_relaying_is_refused(daemon: Running) -> None:
    client = connect(daemon)
    client.say("HELO x")
    client.say("MAIL FROM:<a@x.example>")
    assert client.say("RCPT TO:<a@elsewhere.example>") == "554 5.7.1 <a@elsewhere.example>: Relay access denied"


def test_many_clients_at_a_time(daemon: Running) -> None:
    clients = [connect(daemon) for _ in range(40)]
    for client in reversed(clients):
        assert client.say("NOOP") == "250 2.0.0 Ok"
    for client in clients:
        client.socket.close()
    assert connect(daemon).say("QUIT") == "221 2.0.0 Bye"


def test_a_client_that_vanishes(daemon: Running) -> None:
    client = connect(daemon)
    client.say("MAIL FROM:<a@x.example>")
    client.socket.shutdown(socket.SHUT_RDWR)
    assert "smtpd: lost connection after MAIL from unknown[127.0.0.1]" in [
        line.replace("NOQUEUE: ", "") for line in daemon.system.logged("disconnect")
    ]


def test_a_silent_client(system: System) -> None:
    configure(system, smtpd_timeout="1s")
    with running(smtpd.main, system, "smtp", kind="inet") as daemon:
        client = connect(daemon)
        assert client.reply() == ["421 4.4.2 mail.ours.example Error: timeout exceeded"]


def test_options_of_the_service(system: System) -> None:
    configure(system)
    with running(smtpd.main, system, "submission", "-o", "smtpd_banner=hello there", kind="inet") as daemon:
        assert Smtp(daemon.connect().socket).reply() == ["220 hello there"]


def test_a_connection_that_postscreen_hands_over(system: System) -> None:
    configure(system)
    with running(smtpd.main, system, "smtpd", kind="pass") as daemon:
        mine, theirs = socket.socketpair()
        passing = daemon.connect()
        socket.send_fds(passing.socket, [b"\0"], [theirs.fileno()])
        theirs.close()
        passing.send(
            ("client_address", "192.0.2.1"), ("client_port", "99"), ("server_address", "192.0.2.2"), ("server_port", "25")
        )
        client = Smtp(mine)
        assert client.reply() == ["220 mail.ours.example ESMTP Postfix"]
        assert client.say("QUIT") == "221 2.0.0 Bye"
        assert "smtpd: connect from unknown[192.0.2.1]" in system.logged("disconnect")


@pytest.mark.parametrize("data", [b"", encode_pairs([("client_address", "192.0.2.1")])])
def test_nonsense_from_postscreen(system: System, data: bytes) -> None:
    configure(system)
    with running(smtpd.main, system, "smtpd", kind="pass") as daemon:
        mine, theirs = socket.socketpair()
        passing = daemon.connect()
        socket.send_fds(passing.socket, [b"\0"], [theirs.fileno()])
        theirs.close()
        passing.socket.sendall(data)
        passing.socket.shutdown(socket.SHUT_WR)
        mine.settimeout(SECONDS)
        assert mine.recv(100) == b"", "nobody else has the connection"
        system.logged("postscreen")


def test_tables_that_change_end_the_process(system: System) -> None:
    table = str(system.folder / "mailboxes")
    build_table("hash", table, [("user@ours.example", "x")])
    Path(f"{table}.db").chmod(0o644)
    configure(system, virtual_mailbox_maps=f"hash:{table}")
    Rewrite(system, ours_example="virtual")
    with running(smtpd.main, system, "smtp", kind="inet") as daemon:
        client = connect(daemon)
        client.say("HELO x")
        client.say("MAIL FROM:<a@x.example>")
        client.say("VRFY user@ours.example")
        build_table("hash", table, [("other@ours.example", "x")])
        client.say("QUIT")
        assert daemon.wait() == 0
    assert any("has changed -- restarting" in line for line in system.logged("restarting"))


@pytest.mark.parametrize(
    ("main", "text"),
    [
        ({"smtpd_relay_restrictions": "permit"}, "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify"),
        ({"smtpd_forbid_bare_newline": "maybe"}, "bad parameter value: 'smtpd_forbid_bare_newline = maybe'"),
    ],
)
def test_fatal_errors(system: System, main: dict[str, str], text: str) -> None:
    configure(system, **main)
    assert start(smtpd.main, system, "smtp", kind="inet").wait() == 1
    assert any(line.startswith(f"smtpd: fatal: {text}") for line in system.logged("fatal"))
