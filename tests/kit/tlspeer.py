"""An SMTP or LMTP server with TLS for tests of clients: it behaves as it is told, well or badly."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass

from cryptography import x509

from .tls import World

_HANDSHAKE = b"\x16"
"""How records of a handshake begin."""
_ALERT = b"\x15\x03\x01\x00\x02\x01\x00"
"""A record that closes a TLS session."""
_BEHIND = {"injection behind": b"250 injected\r\n" * 3, "half a record": b"\x16\x03\x03\x01\x00\x02\x00\x00\xfc250 injected\r\n"}


@dataclass(frozen=True)
class Manner:
    """How the server behaves."""

    certificate: str = "rsa"
    offers: bool = True
    answer: str = "220 go"
    then: str = "tls"
    """What comes after the answer: tls, garbage, close, reset, injection (of a reply, in the same packet), injection behind

    (in another), injection of a record (of TLS), half a record.
    """
    early: str = ""
    """What comes together with the reply to EHLO, before STARTTLS was said."""
    early_within: str = ""
    """What comes together with the reply to EHLO within TLS."""
    wrapped: bool = False
    asks: bool = False
    highest: ssl.TLSVersion | None = None
    patience: float = 20
    """Seconds after which it leaves a client that says nothing."""


class Server:
    """An SMTP server with TLS that notes what it was told."""

    def __init__(self, world: World, manner: Manner, listener: socket.socket, *, sessions: int = 1) -> None:
        self._sessions = sessions
        self.said: list[str] = []
        self._manner = manner
        self._listener = listener
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(world.file(f"{manner.certificate}.pem"), world.file(f"{manner.certificate}.key"))
        if manner.highest is not None:
            self._context.maximum_version = manner.highest
        if manner.asks:
            self._context.verify_mode = ssl.CERT_OPTIONAL
            self._context.load_verify_locations(world.file("ca.pem"))
        self._context.sni_callback = self._named
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _named(self, _connection: object, name: str | None, _context: object) -> None:
        self.said.append(f"SNI {name}")

    def release(self, listener: socket.socket) -> None:
        """Do as close, where perhaps nobody has come and nobody will."""
        if not self.said:
            with suppress(OSError):
                socket.create_connection(listener.getsockname()).close()
        self.close()

    def close(self) -> None:
        """Wait until the session is over."""
        self._thread.join(20)

    def _serve(self) -> None:
        self._listener.settimeout(20)
        for _ in range(self._sessions):
            with suppress(OSError, ssl.SSLError):
                connection = self._listener.accept()[0]
                with connection:
                    connection.settimeout(self._manner.patience)
                    self._talk(connection)

    def _secured(self, connection: socket.socket) -> ssl.SSLSocket:
        secured = self._context.wrap_socket(connection, server_side=True)
        shown = secured.getpeercert(True)
        owner = x509.load_der_x509_certificate(shown).subject.rfc4514_string() if shown else "no certificate"
        self.said.append(f"{secured.version()} {owner}")
        return secured

    def _leave(self, connection: socket.socket, *, reset: bool) -> None:
        """End the connection once the client has begun its handshake, in good order or not."""
        connection.recv(65536, socket.MSG_PEEK if reset else 0)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _talk(self, connection: socket.socket) -> None:
        manner, tls = self._manner, False
        if manner.wrapped:
            connection, tls = self._secured(connection), True
        lines = connection.makefile("rb")
        connection.sendall(b"220 peer.example ESMTP\r\n")
        content = False
        while raw := lines.readline() if lines.peek(1)[:1] != _HANDSHAKE else b"":
            line = raw.decode("latin-1").strip()
            if content:
                if line == ".":
                    content = False
                    connection.sendall(b"250 2.0.0 taken\r\n")
                continue
            if not line:
                continue
            self.said.append(line)
            match line.split()[0].upper():
                case "EHLO" | "LHLO":
                    ahead = manner.early_within if tls else manner.early
                    early = f"{ahead}\r\n".encode() if ahead else b""
                    offer = b"250-STARTTLS\r\n" if manner.offers and not tls else b""
                    connection.sendall(b"250-peer.example\r\n" + offer + b"250 8BITMIME\r\n" + early)
                case "STARTTLS":
                    behind = {"injection": b"250 injected\r\n", "injection of a record": _ALERT}.get(manner.then, b"")
                    connection.sendall(manner.answer.encode() + b"\r\n" + behind)
                    if not manner.answer.startswith("220"):
                        continue
                    if manner.then == "garbage":
                        connection.recv(65536)  # what came together with the answer would be dropped, not read as TLS
                        connection.sendall(b"this is no TLS record\r\n")
                        lines.read()
                        return
                    if manner.then in _BEHIND:
                        connection.recv(65536)
                        connection.sendall(_BEHIND[manner.then])
                        lines.read()
                        return
                    if manner.then in ("close", "reset"):
                        self._leave(connection, reset=manner.then == "reset")
                        return
                    connection, tls = self._secured(connection), True
                    lines = connection.makefile("rb")
                case "DATA":
                    connection.sendall(b"354 go\r\n")
                    content = True
                case "QUIT":
                    connection.sendall(b"221 bye\r\n")
                    return
                case _:
                    connection.sendall(b"250 ok\r\n")
        if lines.peek(1):
            self.said.append("a handshake that was not to come")
            lines.read()  # and nothing is said to it
