"""An SMTP or LMTP server that answers by script: what each command gets, stalls, and lost connections at each stage.

    with Peer({"RCPT": ["250 ok", "550 5.1.1 no"], ".": Lost()}) as peer:
        ...  # mail goes to peer.port
    peer.sessions[0].lines

One peer serves many connections at a time and remembers what each said.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from .ports import ReservedPort

_PATIENCE: Final = 60.0
"""Seconds after which a connection on which nothing happens is given up."""
_SILENCE: Final = 1.0


@dataclass(frozen=True)
class Say:
    """A reply, and what comes after it."""

    text: str
    """Without the last CR LF; lines are separated by LF."""
    close: bool = False


@dataclass(frozen=True)
class Lost:
    """No reply: the connection is closed, or reset."""

    reset: bool = False


@dataclass(frozen=True)
class Stall:
    """No reply, and none to anything that follows."""


@dataclass(frozen=True)
class Drip:
    """A reply whose bytes come one by one."""

    text: str
    seconds: float
    """Between one byte and the next."""


@dataclass(frozen=True)
class Sip:
    """A reply, behind which what the client sends is read slowly."""

    text: str
    size: int
    """Bytes that are read at a time; 0: none, ever."""
    seconds: float = 0.05
    """Between one read and the next."""
    most: int = 1 << 30
    """Bytes that are read slowly; the rest is read as usual."""


Answer = str | Say | Lost | Stall | Drip | Sip
Script = Mapping[str, Answer | Sequence[Answer]]

USUAL: Final[dict[str, Answer]] = {
    "greeting": "220 peer.example ESMTP",
    "EHLO": "250 peer.example",
    "LHLO": "250 peer.example",
    "HELO": "250 peer.example",
    "XFORWARD": "250 2.0.0 Ok",
    "MAIL": "250 2.1.0 Sender ok",
    "RCPT": "250 2.1.5 Recipient ok",
    "DATA": "354 Go on",
    ".": "250 2.0.0 Got it",
    "RSET": "250 2.0.0 Reset",
    "NOOP": "250 2.0.0 Nothing done",
    "QUIT": Say("221 2.0.0 Bye", close=True),
}
"""What is answered to what the script does not name."""


@dataclass
class Session:
    """One connection: what the client said."""

    address: str
    """The address that the client connected to."""
    lines: list[str] = field(default_factory=list)
    """All lines, those of content too."""
    client: str = ""
    """The address that the client connected from."""
    over: threading.Event = field(default_factory=threading.Event)


class Peer:
    """The server.  ``script`` may be changed while it runs; lists of answers are used up one by one, the last stays.

    A key such as ``RCPT a@x.example`` or ``greeting 127.0.0.3`` is for commands that have this text, or for connections
    to that address.
    """

    def __init__(
        self, script: Script | None = None, *, path: Path | None = None, host: str = "0.0.0.0", lmtp: bool = False
    ) -> None:
        """*path*: listen on a socket in the file system instead of all loopback addresses (or *host*).

        *lmtp*: a reply to the content for each recipient; that is so for clients that say LHLO, too.
        """
        self._host = host
        self._reserved = None if path else ReservedPort()
        self.port = 0 if self._reserved is None else self._reserved.number
        self._path = path
        self.sessions: list[Session] = []
        self.reset(script, lmtp=lmtp)
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()

    def reset(self, script: Script | None = None, *, lmtp: bool = False) -> None:
        """Begin with a new script, and forget what was said before."""
        self._lmtp = lmtp
        self.script: dict[str, Answer | Sequence[Answer]] = {**USUAL, **(script or {})}
        self._used: dict[str, int] = {}
        self.sessions = []

    def __enter__(self) -> Self:
        if self._path is None:
            self._listener = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((self._host, self.port))
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(self._path))
            self._path.chmod(0o666)
        self._listener.listen(100)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        if self._reserved is not None:
            self._reserved.release()

    def seen(self) -> list[list[str]]:
        """Return what was said on each connection, when all are at their ends, stalled, or silent for a second."""
        heard = -1
        while not all(session.over.is_set() for session in self.sessions) and heard != (heard := self._heard()):
            for session in self.sessions:
                if not session.over.wait(_SILENCE):
                    break
        return [session.lines for session in self.sessions]

    def _heard(self) -> int:
        return sum(len(session.lines) for session in self.sessions)

    def transcript(self) -> list[str]:
        """Return the same in one list, with the address of each connection before it."""
        self.seen()
        return [line for session in self.sessions for line in [f"-- {session.address}", *session.lines]]

    def _accept(self) -> None:
        while True:
            try:
                connection, client = self._listener.accept()
            except OSError:
                return
            connection.settimeout(_PATIENCE)
            name = connection.getsockname()
            session = Session(name[0] if isinstance(name, tuple) else str(name))
            session.client = client[0] if isinstance(client, tuple) else str(client)
            with self._lock:
                self._connections.append(connection)
                self.sessions.append(session)
            threading.Thread(target=self._serve, args=(connection, session), daemon=True).start()

    def _serve(self, connection: socket.socket, session: Session) -> None:
        try:
            with suppress(OSError):
                self._converse(connection, session)
        finally:
            session.over.set()
            with self._lock:
                self._connections.remove(connection)
            connection.close()

    def _converse(self, connection: socket.socket, session: Session) -> None:
        stream = connection.makefile("rb")
        accepted = 0
        lmtp = self._lmtp
        alive = self._answer(connection, session, "greeting", session.address)
        in_content = False
        while alive:
            line = stream.readline()
            if not line:
                return
            text = line.decode("utf-8", "surrogateescape")
            session.lines.append(text.removesuffix("\n").removesuffix("\r") if text.endswith("\r\n") else text)
            if in_content:
                if line != b".\r\n":
                    continue
                in_content = False
                for _ in range(accepted if lmtp else 1):
                    alive = alive and self._answer(connection, session, ".", session.address)
                continue
            words = text.split(None, 1)
            verb = words[0].upper() if words else ""
            lmtp = lmtp or verb == "LHLO"
            if verb == "MAIL":
                accepted = 0
            reply = self._next(verb, f"{text.strip()} at {session.address}")
            alive = self._say(connection, session, reply, verb)
            said = reply if isinstance(reply, str) else getattr(reply, "text", "")
            accepted += verb == "RCPT" and said.startswith("2")
            in_content = verb == "DATA" and said.startswith("3")
        # Stalled: what still comes is taken, so that the client's end is seen.
        session.over.set()
        while stream.readline():
            pass

    def _answer(self, connection: socket.socket, session: Session, what: str, line: str) -> bool:
        return self._say(connection, session, self._next(what, line), what)

    def _next(self, verb: str, line: str) -> Answer:
        key = next((key for key in self.script if key.startswith(verb + " ") and key[len(verb) + 1 :] in line), verb)
        answers = self.script.get(key, "500 5.5.1 What?")
        if isinstance(answers, Answer):
            return answers
        with self._lock:
            used = self._used.get(key, 0)
            self._used[key] = used + 1
        return answers[min(used, len(answers) - 1)]

    def _say(self, connection: socket.socket, session: Session, answer: Answer, verb: str) -> bool:
        match answer:
            case Stall():
                return False
            case Lost(reset=reset):
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                raise ConnectionAbortedError
            case Say(text=text, close=close):
                connection.sendall(text.replace("\n", "\r\n").encode("utf-8", "surrogateescape") + b"\r\n")
                if close:
                    raise ConnectionAbortedError
            case Drip(text=text, seconds=seconds):
                for byte in text.replace("\n", "\r\n").encode() + b"\r\n":
                    if session.over.wait(seconds):
                        return False
                    connection.sendall(bytes((byte,)))
            case Sip(text=text):
                self._sip(connection, answer)
            case str():
                connection.sendall(answer.replace("\n", "\r\n").encode("utf-8", "surrogateescape") + b"\r\n")
        return True

    def _sip(self, connection: socket.socket, how: Sip) -> None:
        """Read slowly what comes behind a reply, and drop it, up to the part that is read as usual."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, max(how.size, 4096))
        connection.sendall(how.text.encode() + b"\r\n")
        left = how.most
        ends = time.monotonic() + _PATIENCE
        while left > 0 and time.monotonic() < ends:
            if not how.size:
                hangup = select.poll()
                hangup.register(connection, select.POLLHUP | select.POLLRDHUP)
                hangup.poll(1000 * _PATIENCE)
                raise ConnectionAbortedError
            data = connection.recv(min(how.size, left))
            if not data:
                raise ConnectionAbortedError
            left -= len(data)
            time.sleep(how.seconds)
