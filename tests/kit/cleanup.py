"""A cleanup(8) for clients of it: gives queue ids, keeps what it gets, and says what the test wants of it.

    stand_in = CleanupStandIn("ABC123")
    ...  # let a server call stand_in.answer for each connection
    message = stand_in.next()
"""

from __future__ import annotations

import queue
import socket
from dataclasses import dataclass, field

from pyfix.formats.attributes import encode_pairs
from pyfix.formats.records import read_records
from pyfix.protocols.internal.cleanup import NEXT_MESSAGE

QUEUE_ID = "NEW456"
_SECONDS = 20.0
_END = b"E\0"


@dataclass
class Taken:
    """A message that cleanup(8) got."""

    flags: int
    records: list[tuple[str, bytes]]

    def kinds(self) -> str:
        """Return the types of the records."""
        return "".join(kind for kind, _data in self.records)

    def lines(self) -> list[str]:
        """Return the lines of the message."""
        return self.values("N")

    def values(self, kind: str) -> list[str]:
        """Return the payloads of the records of one type."""
        return [data.decode("utf-8", "surrogateescape") for found, data in self.records if found == kind]


@dataclass
class CleanupStandIn:
    """Speaks cleanup's protocol, on one connection or on several at a time."""

    queue_ids: list[str] = field(default_factory=list)
    """To be given in this order; after them QUEUE_ID again and again."""
    status: int = 0
    reason: str = ""
    gives_more: bool = False
    """Answer with another queue id behind the status to a client that asks for it, as pyfix's cleanup does."""
    leaves_after: int = 1 << 30
    """Messages of one connection after which it is closed, although another queue id was given."""
    given_up: int = 0
    """Messages that ended before their end record."""
    _taken: queue.Queue[Taken] = field(default_factory=queue.Queue)

    def _greeting(self) -> bytes:
        queue_id = self.queue_ids.pop(0) if self.queue_ids else QUEUE_ID
        return encode_pairs([("protocol", "cleanup_protocol"), ("queue_id", queue_id)])

    def answer(self, connection: socket.socket) -> None:
        """Take the messages of one connection."""
        connection.sendall(self._greeting())
        for _ in range(self.leaves_after):
            data = b""
            while not data.endswith((_END, _END + NEXT_MESSAGE)):
                more = connection.recv(65536)
                if not more:
                    self.given_up += 1
                    return
                data += more
            stays = self.gives_more and data.endswith(NEXT_MESSAGE)
            flags, _, records = data.removesuffix(NEXT_MESSAGE).partition(b"\0\0")
            found = [(chr(one.kind), one.data) for one in read_records(records)]
            self._taken.put(Taken(int(flags.split(b"\0")[1]), found))
            status = encode_pairs([("status", str(self.status)), ("reason", self.reason)])
            connection.sendall(status + self._greeting() if stays else status)
            if not stays:
                return

    def next(self) -> Taken:
        """Return the next message, when it has come."""
        return self._taken.get(timeout=_SECONDS)

    @property
    def is_silent(self) -> bool:
        """Whether there is no message that was not looked at."""
        return self._taken.empty()
