"""A mail server far away that is not to be relied on: it is busy, hangs up, and forgets to say that it took a message."""

from __future__ import annotations

import random
import re
import socket
import threading
from collections import Counter

from tests.kit.double import Double

__all__ = ["FlakyServer"]

_TOKEN = re.compile(rb"token-\d+\.")
_RECIPIENT = re.compile(rb"(?i)RCPT TO:<([^>]*)>")
_BUSY, _HANGS_UP, _SILENT = 0.05, 0.03, 0.03
"""How often, of a hundred chances, it says 4xx, closes the connection, or closes it in place of the last reply."""


class FlakyServer(Double):
    """Takes messages for anybody.  Use it in a ``with`` statement."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.reliable = False
        """From now on it takes all."""
        self.taken: Counter[tuple[bytes, str]] = Counter()
        """How often each message, by its token, came for each recipient."""
        self.unconfirmed = 0
        """Messages that it took without a word: whoever sends them has to come again."""
        super().__init__()

    def _chance(self, of: float) -> bool:
        with self._lock:
            return not self.reliable and self._random.random() < of

    def serve(self, client: socket.socket) -> None:
        """Take what comes, as far as chance has it."""
        recipients: list[str] = []
        client.settimeout(60)
        with client.makefile("rb") as stream:
            client.sendall(b"220 far.example ESMTP\r\n")
            while line := stream.readline():
                word = line[:4].upper()
                if self._chance(_HANGS_UP):
                    return
                if word == b"QUIT":
                    client.sendall(b"221 bye\r\n")
                    return
                if word in (b"MAIL", b"RSET"):
                    recipients.clear()
                if word in (b"MAIL", b"RCPT", b"DATA") and self._chance(_BUSY):
                    client.sendall(b"451 4.3.2 busy\r\n")
                elif word == b"RCPT":
                    recipients += [name.decode() for name in _RECIPIENT.findall(line)]
                    client.sendall(b"250 ok\r\n")
                elif word == b"DATA" and recipients:
                    client.sendall(b"354 go on\r\n")
                    content = b""
                    while (part := stream.readline()) and part != b".\r\n":
                        content += part
                    if not part:
                        return
                    with self._lock:
                        self.taken.update((token, name) for token in set(_TOKEN.findall(content)) for name in recipients)
                    if self._chance(_SILENT):
                        with self._lock:
                            self.unconfirmed += 1
                        return
                    client.sendall(b"250 taken\r\n")
                    recipients.clear()
                else:
                    client.sendall(b"503 no recipients\r\n" if word == b"DATA" else b"250 far.example\r\n")
