"""A milter by script: it writes down what it is told, and answers what the test wants.

    with ScriptedMilter() as milter:
        milter.script = Script(answers={"eom": [add_header("X-Seen", "yes"), CONTINUE]})
        ...
        milter.events()

It speaks the Sendmail 8 milter protocol as a milter does: `libmilter`'s side of it, packet by packet, so that it can
also say what no library would.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from .processes import wait_until

_COMMANDS: Final = {
    "A": "abort", "B": "body", "C": "connect", "D": "macro", "E": "eom", "H": "helo", "K": "quit_nc", "L": "header",
    "M": "mail", "N": "eoh", "O": "optneg", "Q": "quit", "R": "rcpt", "T": "data", "U": "unknown",
}  # fmt: skip
_SILENT: Final = frozenset(("macro", "abort", "quit", "quit_nc"))
_NO_REPLY: Final = {
    "connect": 1 << 12, "helo": 1 << 13, "mail": 1 << 14, "rcpt": 1 << 15, "data": 1 << 16, "unknown": 1 << 17,
    "eoh": 1 << 18, "body": 1 << 19, "header": 1 << 7,
}  # fmt: skip
ALL_ACTIONS: Final = 0x1FF
NOTHING_LEFT_OUT: Final = 0

Answer = bytes | float | None
"""A packet, seconds to wait before the next, or (None) the end of the connection."""
HANG_UP: Final = None


def packet(command: str, data: bytes = b"") -> bytes:
    """Return one packet."""
    return struct.pack(">I", len(data) + 1) + command.encode() + data


CONTINUE: Final = packet("c")
ACCEPT: Final = packet("a")
REJECT: Final = packet("r")
TEMPFAIL: Final = packet("t")
DISCARD: Final = packet("d")
SKIP: Final = packet("s")
PROGRESS: Final = packet("p")
SHUTDOWN: Final = packet("4")
CONN_FAIL: Final = packet("f")


def reply(text: str) -> bytes:
    """Refuse with an SMTP reply."""
    return packet("y", text.encode() + b"\0")


def add_header(name: str, value: str) -> bytes:
    """Add a header at the end."""
    return packet("h", f"{name}\0{value}\0".encode("utf-8", "surrogateescape"))


def insert_header(index: int, name: str, value: str) -> bytes:
    """Insert a header before the one at *index*."""
    return packet("i", struct.pack(">I", index) + f"{name}\0{value}\0".encode("utf-8", "surrogateescape"))


def change_header(index: int, name: str, value: str) -> bytes:
    """Change the header of this name that is number *index*; without a value it goes."""
    return packet("m", struct.pack(">I", index) + f"{name}\0{value}\0".encode("utf-8", "surrogateescape"))


def change_sender(address: str, arguments: str | None = None) -> bytes:
    """Replace the sender of the envelope."""
    more = b"" if arguments is None else arguments.encode() + b"\0"
    return packet("e", address.encode() + b"\0" + more)


def add_recipient(address: str) -> bytes:
    """Add a recipient."""
    return packet("+", address.encode() + b"\0")


def add_recipient_with(address: str, arguments: str) -> bytes:
    """Add a recipient with parameters of RCPT."""
    return packet("2", address.encode() + b"\0" + arguments.encode() + b"\0")


def delete_recipient(address: str) -> bytes:
    """Remove a recipient."""
    return packet("-", address.encode() + b"\0")


def replace_body(data: bytes) -> bytes:
    """Give a piece of a new body."""
    return packet("b", data)


def quarantine(reason: str) -> bytes:
    """Put the message on hold."""
    return packet("q", reason.encode() + b"\0")


@dataclass(frozen=True)
class Script:
    """What a milter does: answers by event, or by event and its first argument: ``"rcpt <user@ours.example>"``."""

    answers: Mapping[str, Sequence[Answer]] = field(default_factory=dict)
    version: int = 6
    actions: int = ALL_ACTIONS
    protocol: int = NOTHING_LEFT_OUT
    symbols: Mapping[int, str] = field(default_factory=dict)
    """Macros that it asks for, by stage."""
    greeting: Sequence[Answer] | None = None
    """What it says instead of the answer to the offer of options."""

    def options(self) -> bytes:
        """Return the answer to the offer of options."""
        data = struct.pack(">III", self.version, self.actions, self.protocol)
        for stage, names in self.symbols.items():
            data += struct.pack(">I", stage) + names.encode() + b"\0"
        return packet("O", data)


class ScriptedMilter:
    """The server; one thread a connection."""

    def __init__(self, path: Path | None = None, name: str = "") -> None:
        """Listen at a free port of 127.0.0.1, or at *path*."""
        self.script = Script()
        self.name = name
        self._events: list[list[str]] = []
        self._open = 0
        self._lock = threading.Lock()
        if path is None:
            self._server = socket.create_server(("127.0.0.1", 0))
            self.port: int = self._server.getsockname()[1]
            self.endpoint = f"inet:127.0.0.1:{self.port}"
        else:
            self._server = socket.socket(socket.AF_UNIX)
            self._server.bind(str(path))
            path.chmod(0o666)
            self._server.listen(50)
            self.endpoint = f"unix:{path}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(5)

    def forget(self) -> None:
        """Begin a new case: nothing was said yet."""
        assert wait_until(lambda: not self._open, 10), "a connection to the milter stays open"
        self._events = []

    def events(self) -> list[str]:
        """Return what was said, connection by connection, once all connections are over."""
        assert wait_until(lambda: not self._open, 10), f"a connection to the milter stays open: {self._events}"
        return [line for number, said in enumerate(self._events, 1) for line in (f"-- {number}", *said)]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            said: list[str] = []
            with self._lock:
                self._open += 1
                self._events.append(said)
            threading.Thread(target=self._serve, args=(connection, said), daemon=True).start()

    def _serve(self, connection: socket.socket, said: list[str]) -> None:
        try:
            connection.settimeout(30)
            _Conversation(connection, self.script, said).run()
        except (OSError, EOFError) as error:
            if str(error):
                said.append(f"({type(error).__name__})")
        finally:
            connection.close()
            with self._lock:
                self._open -= 1


class _Conversation:
    """One connection of the mail system."""

    def __init__(self, connection: socket.socket, script: Script, said: list[str]) -> None:
        self._connection = connection
        self._script = script
        self._said = said

    def run(self) -> None:
        while True:
            size = struct.unpack(">I", self._exactly(4))[0]
            data = self._exactly(size)
            name, payload = _COMMANDS.get(chr(data[0]), f"command {data[:1]!r}"), data[1:]
            self._said.append(f"{name} {_shown(name, payload)}".rstrip())
            if name == "quit":
                return
            if name == "optneg":
                greeting = self._script.greeting
                answers: Sequence[Answer] = (self._script.options(),) if greeting is None else greeting
            elif name in _SILENT:
                continue
            else:
                answers = self._answers(name, payload)
            if not self._say(answers):
                return

    def _answers(self, name: str, payload: bytes) -> Sequence[Answer]:
        script = self._script
        first = payload.partition(b"\0")[0].decode("utf-8", "surrogateescape")
        answers = script.answers.get(f"{name} {first}", script.answers.get(name))
        if answers is not None:
            return answers
        return () if script.protocol & _NO_REPLY.get(name, 0) else (CONTINUE,)

    def _say(self, answers: Sequence[Answer]) -> bool:
        together = b""  # what leaves at once is there whatever becomes of the connection
        for answer in answers:
            if isinstance(answer, bytes):
                together += answer
                continue
            self._connection.sendall(together)
            together = b""
            if answer is None:
                return False
            time.sleep(answer)
        self._connection.sendall(together)
        return True

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._connection.recv(size - len(data))
            if not more:
                if data:
                    raise OSError("cut off")
                raise EOFError
            data += more
        return data


def _shown(name: str, payload: bytes) -> str:
    if name == "optneg":
        return " ".join(f"{number:#x}" for number in struct.unpack(f">{len(payload) // 4}I", payload))
    if name == "macro":
        words = [word.decode("utf-8", "surrogateescape") for word in payload[1:].split(b"\0")]
        pairs = [f"{left}={right}" for left, right in zip(words[::2], words[1::2], strict=False)]
        return _steady(f"{payload[:1].decode()} " + " ".join(pairs))
    if name == "connect":
        host, _, rest = payload.partition(b"\0")
        family, port, address = rest[:1], rest[1:3], rest[3:]
        shown = "<PORT>" if port != b"\0\0" and len(port) == 2 else port.hex()
        return f"{host.decode()} {family.decode()} {shown} {address!r}"
    if name == "body":
        short = f"{payload[:20]!r} ... {payload[-20:]!r}" if len(payload) > 200 else repr(payload)
        return f"{len(payload)} bytes, {short}"
    return _steady(repr(payload.decode("utf-8", "surrogateescape").replace("\0", "|"))[1:-1])


def _steady(text: str) -> str:
    return re.sub(r"\{(client_port|daemon_port|\w*_pid)\}=[1-9]\d*", r"{\1}=<N>", text)


Answers = Callable[[], Mapping[str, Sequence[Answer]]]
