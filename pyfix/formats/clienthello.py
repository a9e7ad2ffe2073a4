"""The first message of a TLS client: the name that it asks for, and which earlier session it wants to resume.

Source: RFC 8446 sections 4.1.2, 4.2.11 and 5.1; RFC 6066 section 3; RFC 5246 section 7.4.1.2; RFC 5077 section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["ClientHello", "read_client_hello"]

_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_RECORD_HEAD: Final = 5
_MESSAGE_HEAD: Final = 4
_LONGEST: Final = 1 << 16
"""No library takes a longer one."""
_SERVER_NAME: Final = 0
_HOST_NAME: Final = 0
_LONGEST_NAME: Final = 255
_SESSION_TICKET: Final = 35
_PRE_SHARED_KEY: Final = 41
_SUPPORTED_VERSIONS: Final = 43
_TLS13: Final = b"\x03\x04"


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a client wants; empty where it wants nothing."""

    session_id: bytes = b""
    """Before TLS 1.3; with it a random value that stands for nothing."""
    tickets: tuple[bytes, ...] = ()
    """The ticket of RFC 5077, and the identities of TLS 1.3."""
    modern: bool = False
    """It can speak TLS 1.3."""
    name: bytes = b""
    """The server that it asks for."""


class _Cut(Exception):
    """A length says more than there is."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes.  Raises _Cut."""
        found = self._data[self._at : self._at + size]
        if len(found) < size:
            raise _Cut
        self._at += size
        return found

    def vector(self, width: int) -> bytes:
        """Return the bytes that a length of *width* bytes stands before.  Raises _Cut."""
        return self.take(int.from_bytes(self.take(width), "big"))

    @property
    def left(self) -> bool:
        """Whether there is more."""
        return self._at < len(self._data)


def read_client_hello(data: bytes) -> ClientHello | None:
    """Return what the bytes of a connection begin with, None while more must come.

    What is no client's first message wants nothing.
    """
    message = b""
    reader = _Reader(data)
    try:
        while len(message) < _MESSAGE_HEAD or len(message) < _size(message):
            head = reader.take(_RECORD_HEAD)
            if head[0] != _HANDSHAKE:
                return ClientHello()
            message += reader.take(int.from_bytes(head[3:5], "big"))
            if message and (message[0] != _CLIENT_HELLO or _size(message.ljust(_MESSAGE_HEAD, b"\0")) > _LONGEST):
                return ClientHello()
    except _Cut:
        begins = not data or data[0] == _HANDSHAKE
        return None if begins and len(data) < _LONGEST else ClientHello()
    try:
        return _parsed(message[_MESSAGE_HEAD : _size(message)])
    except _Cut:
        return ClientHello()


def _size(message: bytes) -> int:
    return _MESSAGE_HEAD + int.from_bytes(message[1:4], "big")


def _parsed(body: bytes) -> ClientHello:
    reader = _Reader(body)
    reader.take(2 + 32)  # version, random
    session_id = reader.vector(1)
    reader.vector(2)  # ciphers
    reader.vector(1)  # compressions
    tickets: list[bytes] = []
    modern, name = False, b""
    extensions = _Reader(reader.vector(2) if reader.left else b"")
    while extensions.left:
        kind = int.from_bytes(extensions.take(2), "big")
        content = extensions.vector(2)
        if kind == _SESSION_TICKET and content:
            tickets.append(content)
        elif kind == _PRE_SHARED_KEY:
            identities = _Reader(_Reader(content).vector(2))
            while identities.left:
                tickets.append(identities.vector(2))
                identities.take(4)  # its age
        elif kind == _SERVER_NAME:
            name = _name(content)
        elif kind == _SUPPORTED_VERSIONS:
            versions = _Reader(content).vector(1)
            modern = _TLS13 in (versions[at : at + 2] for at in range(0, len(versions), 2))
    return ClientHello(session_id, tuple(tickets), modern, name)


def _name(content: bytes) -> bytes:
    """Return the only name of the extension, if it is one that a server may have."""
    entries = _Reader(_Reader(content).vector(2))
    if not entries.left or entries.take(1)[0] != _HOST_NAME:
        return b""
    name = entries.vector(2)
    return b"" if entries.left or b"\0" in name or len(name) > _LONGEST_NAME else name
