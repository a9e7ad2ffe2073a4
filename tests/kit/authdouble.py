"""A stand-in for Dovecot's authentication service, in threads of the test's process.

Who logs in decides what it answers: see VERDICTS.  Its protocol is Dovecot's authentication protocol for clients.
"""

from __future__ import annotations

import base64
import re
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from .double import HANG_UP, SILENCE, Double

__all__ = ["CHALLENGE", "HANG_UP", "MECHANISMS", "SASLAUTHD_ANSWERS", "SILENCE", "VERDICTS", "AuthDouble", "SaslauthdDouble", "answer_to", "encoded"]

MECHANISMS: Final = ("PLAIN\tplaintext", "LOGIN\tplaintext", "CRAM-MD5\tdictionary\tactive")
"""What is offered where a test does not say otherwise."""
CHALLENGE: Final = b"<1896.697170952@mail.ours.example>"
VERDICTS: Final[Mapping[str, bytes]] = {
    "joe": b"OK\t{id}\tuser=joe",
    "realm@ours.example": b"OK\t{id}\tuser=realm@ours.example\textra=1",
    "renamed": b"OK\t{id}\tother\tuser=somebody.else",
    "nobody": b"OK\t{id}",
    "tempfail": b"FAIL\t{id}\tuser=tempfail\ttemp",
    "temp2": b"FAIL\t{id}\tuser=temp2\ttemp\treason=Database is down",
    "reason": b"FAIL\t{id}\tuser=reason\treason=Go away",
    "code": b"FAIL\t{id}\tuser=code\tcode=temp_fail",
    "disabled": b"FAIL\t{id}\tuser=disabled\tuser_disabled",
    "expired": b"FAIL\t{id}\tuser=expired\tpass_expired",
    "bare": b"FAIL\t{id}",
    "escaped": b"FAIL\t{id}\tuser=escaped\treason=a\x01tb\x01nc \xff",
    "wrongid": b"OK\t77777\tuser=joe",
    "noid": b"OK",
    "letters": b"OK\tabc\tuser=joe",
    "later": b"NOISE\t1\nOK\t99999\tuser=x\nFAIL\t99998\nOK\t{id}\tuser=later",
    "noise": b"NOISE\t1",
    "again": b"CONT\t{id}\tYWdhaW4=",
    "empty": b"CONT\t{id}\t",
    "bad64": b"CONT\t{id}\t!!!",
    "nocont": b"CONT\t{id}",
    "vanish": HANG_UP,
    "half": b"OK\t{id}\tuser=half" + HANG_UP,
    "binary": b"\x00\xff\x16\x03\x01\r\n\t\t\nOK\t\xff\nFAIL\t{id}\tuser=binary",
    "empty number": b"OK\t\nFAIL\t{id}\tuser=behind",
    "silent": SILENCE,
    "long": b"FAIL\t{id}\tuser=" + b"l" * 300 + b"\treason=" + b"r" * 300,
    "utf8\u00fc": b"OK\t{id}\tuser=utf8\xc3\xbc",
    "control": b"OK\t{id}\tuser=a\x07b c",
}
"""The answer to each login; to others: it fails."""


class AuthDouble(Double):
    """Listens at *path* (or a free port of 127.0.0.1) and answers any number of clients."""

    def __init__(
        self,
        path: Path | None = None,
        mechanisms: Sequence[str] = MECHANISMS,
        *,
        greeting: bytes | None = None,
        delay: float = 0.0,
    ) -> None:
        """*greeting* stands for the whole of what is said at the beginning; *delay*: seconds before each verdict."""
        lines = [f"MECH\t{mechanism}" for mechanism in mechanisms]
        usual = "\n".join(["VERSION\t1\t2", *lines, "SPID\t1234", "CUID\t1", "COOKIE\tabcdef0123456789", "DONE", ""])
        self.greeting = usual.encode() if greeting is None else greeting
        self.delay = delay
        self.asked: list[str] = []
        super().__init__(path)

    def serve(self, client: socket.socket) -> None:
        dialogues: dict[str, tuple[str, list[bytes | None]]] = {}
        with client.makefile("rb") as lines:
            client.sendall(self.greeting)
            for raw in lines:
                line = raw.decode("utf-8", "surrogateescape").rstrip("\n")
                words = line.split("\t")
                self.asked.append(_steady(line))
                if words[0] not in ("AUTH", "CONT"):
                    continue
                number = words[1]
                if words[0] == "AUTH":
                    dialogues[number] = (words[2], [])
                    given = next((word[5:] for word in words[3:] if word.startswith("resp=")), None)
                else:
                    given = words[2]
                mechanism, responses = dialogues[number]
                responses.append(None if given is None else _decoded(given))
                answer = answer_to(mechanism, responses)
                if answer.endswith(HANG_UP):
                    client.sendall(answer.removesuffix(HANG_UP).replace(b"{id}", number.encode()))
                    client.shutdown(socket.SHUT_RDWR)
                    return
                if answer != SILENCE:
                    if self.delay:
                        time.sleep(self.delay)
                    client.sendall(answer.replace(b"{id}", number.encode()) + b"\n")


def _steady(line: str) -> str:
    """Return a line of the client without the numbers that differ from run to run."""
    line = re.sub(r"^(AUTH|CONT|CPID)\t\d+", r"\1\t<N>", line)
    return re.sub(r"\brport=\d+", "rport=<N>", line)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b"undecodable"


def _challenge(text: bytes) -> bytes:
    return b"CONT\t{id}\t" + base64.b64encode(text)


def answer_to(mechanism: str, responses: Sequence[bytes | None]) -> bytes:
    """Return what the service says after these responses."""
    last = responses[-1]
    steps = len([response for response in responses if response is not None])
    match mechanism:
        case "PLAIN":
            if not last:
                return _challenge(b"")
            user = last.split(b"\0")[1] if last.count(b"\0") == 2 else last
        case "LOGIN":
            if steps < 2:
                return _challenge(b"Username:" if last is None else b"Password:")
            user = next(response for response in responses if response is not None)
        case "CRAM-MD5":
            if last is None:
                return _challenge(CHALLENGE)
            user = last.partition(b" ")[0]
        case _:
            return _challenge(b"more")
    name = user.decode("utf-8", "surrogateescape")
    return VERDICTS.get(name, b"FAIL\t{id}\tuser=" + user)


def encoded(*words: str) -> str:
    """Return a response: the words with null bytes between them, in base64."""
    return base64.b64encode("\0".join(words).encode("utf-8", "surrogateescape")).decode("ascii")


class SaslauthdDouble(Double):
    """A stand-in for saslauthd(8): listens at *path* and knows what each password is good for."""

    def __init__(self, path: Path) -> None:
        self.asked: list[tuple[str, ...]] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o755)
        super().__init__(path)

    def serve(self, client: socket.socket) -> None:
        with suppress(struct.error), client.makefile("rb") as stream:
            words = []
            for _ in range(4):
                (size,) = struct.unpack(">H", stream.read(2))
                words.append(stream.read(size).decode("utf-8", "surrogateescape"))
            self.asked.append(tuple(words))
            answer = SASLAUTHD_ANSWERS.get(words[1], b"\0\x02NO")
            if answer == SILENCE:
                time.sleep(3600)
            if words[1] == "late":
                time.sleep(1.5)
            if answer != HANG_UP:
                client.sendall(answer)


SASLAUTHD_ANSWERS: Final[Mapping[str, bytes]] = {
    "pw": b"\0\x02OK",
    "success": b"\0\x0aOK success",
    "late": b"\0\x02OK",
    "reason": b"\0\x13NO wrong, try again",
    "vanish": HANG_UP,
    "short": b"\0\x09OK",
    "nothing": b"\0\0",
    "noise": b"\0\x03FOO",
    "huge": b"\xff\xffOK" + b"x" * 65533,
}
"""The answer to each password; to others: NO."""
