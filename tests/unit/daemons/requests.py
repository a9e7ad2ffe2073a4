"""Delivery requests as qmgr(8) makes them, and the services that hear of the outcomes."""

from __future__ import annotations

import queue
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pyfix.formats import records
from pyfix.formats.attributes import Long, decode_pairs, encode_pairs, end_of_list
from pyfix.formats.queuefile import Sizes
from pyfix.formats.records import encode_lines, read_records
from pyfix.protocols.internal.delivery import (
    BOUNCE,
    SUCCESS,
    DeliveryReply,
    DeliveryRequest,
    MessageStats,
    Recipient,
    decode_recipients,
    decode_request,
)
from tests.unit.daemons.running import SECONDS, Client, Pair, Running, System
from tests.unit.queue.test_message import build

PROTOCOL = "delivery_request_protocol"
CONTENT = b"Subject: x\n\nhello\n"


@dataclass(frozen=True)
class Queued:
    """A file of the active queue, and the request that qmgr(8) makes of it."""

    path: Path
    request: DeliveryRequest
    recipients: list[Recipient]

    def encode(self) -> bytes:
        """Return the request as it is sent."""
        return self.request.encode() + b"".join(recipient.encode() for recipient in self.recipients)

    def changed(self, **values: object) -> Queued:
        """Return the same with other values in the request."""
        return replace(self, request=replace(self.request, **values))  # type: ignore[arg-type]  # keywords of any type

    def recipients_left(self) -> list[str]:
        """Return the recipients that are not marked done in the file."""
        found = read_records(self.path.read_bytes())
        return [record.data.decode() for record in found if record.kind == records.RECIPIENT]


def queued(
    system: System, *addresses: str, nexthop: str = "x.example", content: bytes = CONTENT, queue_id: str = "ABC123"
) -> Queued:
    """Write a file with these recipients into the active queue."""
    path = system.queue / "active" / queue_id
    build(path, list(addresses), encode_lines(content.split(b"\n")[:-1]))
    path.chmod(0o700)
    system.give(path)
    found = list(read_records(path.read_bytes()))
    sizes = Sizes.decode(found[0].data)
    offsets = [record.offset for record in found if record.kind == records.RECIPIENT]
    request = DeliveryRequest(
        flags=SUCCESS | BOUNCE, queue_name="active", queue_id=queue_id, offset=Long(sizes.data_offset),
        size=Long(sizes.content), nexthop=nexthop, encoding="8bit", sendopts=0, sender="s@x.example", envelope_id="",
        ret_flags=0, time=MessageStats(1000.0, 1000.0).encode(), client_name="client.example",
        client_address="192.0.2.1", client_port="1234", protocol_name="ESMTP", helo_name="client.example",
        sasl_method="", sasl_username="", sasl_sender="", log_ident=queue_id, rewrite_context="local",
        recipient_count=len(addresses),
    )  # fmt: skip
    recipients = [Recipient(name, name, Long(at)) for name, at in zip(addresses, offsets, strict=True)]
    return Queued(path, request, recipients)


def deliver(daemon: Running, message: Queued) -> list[Pair] | None:
    """Send a request as our qmgr(8) does, which does not wait for the greeting; return the reply."""
    client = daemon.connect()
    client.socket.sendall(message.encode())
    return answer(client)


def answer(client: Client) -> list[Pair] | None:
    """Return what comes after the greeting; nothing else may come then."""
    greeting = client.receive()
    if greeting is None:
        return None
    assert greeting == [("protocol", PROTOCOL)]
    found = client.receive()
    client.close()
    return found


def is_final(reply: Sequence[Pair] | None) -> bool:
    """Tell whether the agent says that no recipient is left."""
    assert reply is not None
    status = dict(reply[7:])["status"]
    assert status in ("0", "4294967295"), reply
    return status == "0"


class Recorder:
    """A service such as bounce(8), which says yes to everything; or no."""

    def __init__(self, system: System, path: str, protocol: str, status: int = 0) -> None:
        self._protocol = protocol
        self._status = status
        self._requests: queue.Queue[dict[str, str]] = queue.Queue()
        system.serve(path, self._answer)

    def _answer(self, connection: socket.socket) -> None:
        connection.sendall(encode_pairs([("protocol", self._protocol)]))
        data = b""
        while True:
            while (end := end_of_list(data)) < 0:
                more = connection.recv(65536)
                if not more:
                    return
                data += more
            self._requests.put(dict(decode_pairs(data[:end])))
            data = data[end:]
            connection.sendall(encode_pairs([("status", str(self._status & 0xFFFFFFFF))]))

    def next(self) -> dict[str, str]:
        """Return the next request."""
        return self._requests.get(timeout=SECONDS)

    @property
    def is_silent(self) -> bool:
        """Whether there is no request that was not looked at."""
        return self._requests.empty()


def bounce_service(system: System, name: str, status: int = 0) -> Recorder:
    """Serve bounce, defer or trace."""
    return Recorder(system, f"private/{name}", "delivery_status_protocol", status)


class Agent:
    """A delivery agent: it keeps the requests, and answers as *behave* says."""

    def __init__(self, system: System, name: str, behave: Callable[[DeliveryRequest], DeliveryReply | None] | None = None) -> None:
        """*behave* gets a request and returns the reply; None hangs up without one.  Default: all is delivered."""
        self._behave = behave or (lambda _request: DeliveryReply())
        self._requests: queue.Queue[tuple[DeliveryRequest, list[str]]] = queue.Queue()
        self.connections = system.serve(f"private/{name}", self._answer)

    def _answer(self, connection: socket.socket) -> None:
        connection.sendall(encode_pairs([("protocol", PROTOCOL)]))
        data = b""
        while (head := decode_request(data)) is None:
            if not (more := connection.recv(65536)):
                return
            data += more
        request, start = head
        while True:
            recipients, _end = decode_recipients(data, start, request.recipient_count)
            if len(recipients) == request.recipient_count:
                break
            data += connection.recv(65536)
        self._requests.put((request, [recipient.recipient for recipient in recipients]))
        reply = self._behave(request)
        if reply is not None:
            connection.sendall(reply.encode())
            connection.recv(1)

    def next(self) -> tuple[DeliveryRequest, list[str]]:
        """Return the next request and its recipients."""
        return self._requests.get(timeout=SECONDS)

    @property
    def is_silent(self) -> bool:
        """Whether there is no request that was not looked at."""
        return self._requests.empty()
