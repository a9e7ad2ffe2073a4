"""Services that running daemons ask, which the test answers: trivial-rewrite(8) and cleanup(8)."""

from __future__ import annotations

import queue
import socket
from dataclasses import dataclass

from pyfix.formats.attributes import decode_pairs, encode_pairs, end_of_list
from pyfix.formats.records import read_records
from pyfix.protocols.internal.cleanup import NEXT_MESSAGE
from tests.unit.daemons.running import SECONDS, System

HOST = "mail.ours.example"
QUEUE_ID = "NEW456"


class Rewrite:
    """A trivial-rewrite(8): what has no domain is of this host; *ways* say where mail goes."""

    def __init__(self, system: System, **ways: str) -> None:
        """*ways*: domain with underscores for dots -> transport; others go to ``smtp``, this host's to ``local``."""
        self._ways = {name.replace("_", "."): transport for name, transport in ways.items()}
        self.asked: list[str] = []
        system.serve("private/rewrite", self._answer)

    def _answer(self, connection: socket.socket) -> None:
        connection.sendall(encode_pairs([("protocol", "trivial_rewrite_protocol")]))
        data = b""
        while True:
            while (end := end_of_list(data)) < 0:
                more = connection.recv(65536)
                if not more:
                    return
                data += more
            asked = dict(decode_pairs(data[:end]))
            data = data[end:]
            self.asked.append(asked["address"])
            address = asked["address"] if "@" in asked["address"] else f"{asked['address']}@{HOST}"
            domain = address.rpartition("@")[2]
            if asked["request"] == "rewrite":
                reply = [("flags", "0"), ("address", address)]
            else:
                transport = self._ways.get(domain, "local" if domain == HOST else "smtp")
                reply = [
                    ("flags", "0"), ("transport", transport), ("nexthop", domain), ("recipient", address),
                    ("flags", "256" if transport == "local" else "4096"),
                ]  # fmt: skip
            connection.sendall(encode_pairs(reply))


@dataclass
class Taken:
    """A message that cleanup(8) got."""

    flags: int
    records: list[tuple[str, bytes]]

    def lines(self) -> list[str]:
        """Return the lines of the message."""
        return [data.decode("utf-8", "surrogateescape") for kind, data in self.records if kind == "N"]

    def values(self, kind: str) -> list[str]:
        """Return the payloads of the records of one type."""
        return [data.decode("utf-8", "surrogateescape") for found, data in self.records if found == kind]


class Cleanup:
    """A cleanup(8) that keeps what it gets, and says *status* of it."""

    def __init__(self, system: System, status: int = 0, reason: str = "") -> None:
        self._messages: queue.Queue[Taken] = queue.Queue()
        self.status = status
        self._reason = reason
        self.given_up = 0
        """Messages that ended before their end record."""
        system.serve("public/cleanup", self._answer)

    def _answer(self, connection: socket.socket) -> None:
        connection.sendall(encode_pairs([("protocol", "cleanup_protocol"), ("queue_id", QUEUE_ID)]))
        data = b""
        while not data.endswith(b"E\0"):
            more = connection.recv(65536)
            if not more:
                self.given_up += 1
                return
            data = (data + more).removesuffix(NEXT_MESSAGE)
        flags, _, records = data.partition(b"\0\0")
        found = [(chr(one.kind), one.data) for one in read_records(records)]
        self._messages.put(Taken(int(flags.split(b"\0")[1]), found))
        connection.sendall(encode_pairs([("status", str(self.status)), ("reason", self._reason)]))

    def next(self) -> Taken:
        """Return the next message."""
        return self._messages.get(timeout=SECONDS)

    @property
    def is_silent(self) -> bool:
        """Whether there is no message that was not looked at."""
        return self._messages.empty()


class Triggered:
    """A service that is woken by a few bytes, such as qmgr(8)."""

    def __init__(self, system: System, path: str) -> None:
        self._found: queue.Queue[bytes] = queue.Queue()
        system.serve(path, lambda connection: self._found.put(connection.recv(100)))

    def next(self) -> bytes:
        """Return the next bytes."""
        return self._found.get(timeout=SECONDS)
