"""Services that running daemons ask, which the test answers: trivial-rewrite(8) and cleanup(8)."""

from __future__ import annotations

import queue
import socket

from pyfix.formats.attributes import decode_pairs, encode_pairs, end_of_list
from tests.kit.cleanup import CleanupStandIn
from tests.unit.daemons.running import SECONDS, System

HOST = "mail.ours.example"


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


class Cleanup(CleanupStandIn):
    """A cleanup(8) that keeps what it gets, and says *status* of it."""

    def __init__(self, system: System, status: int = 0, reason: str = "") -> None:
        super().__init__(status=status, reason=reason)
        system.serve("public/cleanup", self.answer)


class Triggered:
    """A service that is woken by a few bytes, such as qmgr(8)."""

    def __init__(self, system: System, path: str) -> None:
        self._found: queue.Queue[bytes] = queue.Queue()
        system.serve(path, lambda connection: self._found.put(connection.recv(100)))

    def next(self) -> bytes:
        """Return the next bytes."""
        return self._found.get(timeout=SECONDS)
