"""A session without sockets: a client that says prepared things, a trivial-rewrite and a cleanup that always answer."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from pyfix.access.transaction import Client
from pyfix.clients.cleanup import NewMessage
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtpd.server import Server
from pyfix.daemons.smtpd.session import Session
from pyfix.formats.records import read_records
from pyfix.protocols.internal.cleanup import Status
from pyfix.protocols.internal.rewrite import CLASS_DEFAULT, CLASS_LOCAL, CLASS_VIRTUAL, ERROR, ResolveReply

MAIN = {
    "myhostname": "mail.ours.example",
    "mydestination": "mail.ours.example",
    "mynetworks": "192.0.2.0/24",
    "inet_interfaces": "loopback-only",
    "inet_protocols": "ipv4",
    "alias_maps": "",
    "local_recipient_maps": "",
    "virtual_mailbox_domains": "ours.example",
    "virtual_mailbox_maps": "inline:{user@ours.example=x}",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "smtpd_client_connection_count_limit": "0",
    "smtpd_error_sleep_time": "0",
    "queue_directory": "/tmp",
    "compatibility_level": "3.11",
}


class Resolver:
    """Knows two domains of ours; an address with two dots in a row is bad."""

    def remembered(self, _sender: str, address: str) -> ResolveReply:
        domain = address.rpartition("@")[2] if "@" in address else "mail.ours.example"
        flags = {"ours.example": CLASS_VIRTUAL, "mail.ours.example": CLASS_LOCAL}.get(domain, CLASS_DEFAULT)
        if ".." in domain:
            flags |= ERROR
        recipient = address if "@" in address else f"{address}@mail.ours.example"
        return ResolveReply(flags=0, transport="x", nexthop=domain, recipient=recipient, resolve_flags=flags)

    async def resolve(self, sender: str, address: str) -> ResolveReply:
        return self.remembered(sender, address)


class FakeStream:
    """Gives the prepared pieces one by one, and keeps what is written."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = list(pieces)
        self.written: list[bytes] = []
        self.timeout: float = 0
        self.until = 0.0
        self.readable = False
        self.error: Exception | None = None

    def begin_read(self) -> bytes:
        if self._pieces:
            return self._pieces.pop(0)
        if self.error is not None:
            raise self.error
        return b""

    async def read(self) -> bytes:
        return self.begin_read()

    def send_early(self) -> None:
        """Wait for the next read."""

    def read_now(self) -> bytes | None:
        return None

    def peek_input(self) -> bytes:
        return b""

    def write(self, data: bytes) -> None:
        self.written.append(data)

    async def close_when_sent(self) -> None:
        pass

    async def drain(self) -> None:
        """All is sent."""


class FakeMessage(NewMessage):
    """Keeps the records."""

    def __init__(self, status: Status) -> None:
        self.queue_id = "ABCDEF1234"
        self.data = b""
        self.status = status
        self.state = "open"

    def write(self, records: bytes) -> None:
        self.data += records

    def send_early(self) -> None:
        pass

    async def relieve(self) -> None:
        pass

    async def finish(self) -> Status:
        self.state = "finished"
        return self.status

    def cancel(self) -> None:
        self.state = "canceled"

    @property
    def records(self) -> list[tuple[str, bytes]]:
        return [(chr(record.kind), record.data) for record in read_records(self.data)]


class Conversation:
    """One session that is over: replies, messages, log lines."""

    def __init__(self, monkeypatch: Any, *pieces: bytes, main: dict[str, str] | None = None, **named: Any) -> None:
        self.messages: list[FakeMessage] = []
        self.lines: list[str] = []
        self.flags: list[int] = []
        status = Status(status=named.pop("status", 0), reason=named.pop("reason", ""))
        from pyfix.runtime.log import log

        monkeypatch.setattr(log, "info", self.lines.append)
        monkeypatch.setattr(log, "warning", lambda text: self.lines.append(f"warning: {text}"))

        async def open_message(_service: str, flags: int, _timeout: float, _idle: object) -> FakeMessage:
            self.flags.append(flags)
            self.messages.append(FakeMessage(status))
            return self.messages[-1]

        monkeypatch.setattr(NewMessage, "open", open_message)
        monkeypatch.setattr("pyfix.daemons.smtpd.server.current", lambda: SimpleNamespace(now=1000.0))
        server = Server(Snapshot({**MAIN, **(main or {})}, process_name="smtpd"), "smtp")
        server.__dict__["resolver"] = server.policy.__dict__["resolver"] = Resolver()
        client = Client(
            named.pop("name", "client.example"), named.pop("address", "198.51.100.7"), "1234",
            reverse_name="client.example", server_address="198.51.100.1", server_port="25",
        )  # fmt: skip
        self.stream = FakeStream(pieces)
        self.stream.error = named.pop("error", None)
        self.session = Session(server, self.stream, client)  # type: ignore[arg-type]  # a fake with what it needs
        coroutine = self.session.run()
        try:
            coroutine.send(None)
        except StopIteration:
            pass
        else:
            raise AssertionError("the session waits for something")

    @property
    def replies(self) -> list[str]:
        return b"".join(self.stream.written).decode().splitlines()


def converse(monkeypatch: Any, *lines: str | bytes, **named: Any) -> Conversation:
    """Run a session in which the client says these lines, each in a packet of its own."""
    return Conversation(monkeypatch, *[line if isinstance(line, bytes) else f"{line}\r\n".encode() for line in lines], **named)
