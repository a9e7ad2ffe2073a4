"""Asking a service of a running instance over its socket, byte by byte as a client would."""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from pyfix.formats.attributes import Encoding, encode_pairs, end_of_list
from tests.kit.instance import Instance

SECONDS = 10
END = b"<END>"


class Client:
    """One connection to a socket below queue_directory."""

    def __init__(self, mta: Instance, path: str, encoding: Encoding = "null") -> None:
        self._encoding: Encoding = encoding
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(SECONDS)
        self._socket.connect(str(mta.queue_directory / path))
        self._data = b""

    def send(self, *pairs: tuple[str, str]) -> None:
        """Send one attribute list."""
        self.send_bytes(encode_pairs(pairs, self._encoding))

    def send_bytes(self, data: bytes) -> None:
        """Send *data* as it is."""
        self._socket.sendall(data)

    def finish(self) -> None:
        """Say that nothing more is coming."""
        self._socket.shutdown(socket.SHUT_WR)

    def receive(self) -> bytes:
        """Return the next attribute list whole; END at the end, after what stood before it."""
        while (end := end_of_list(self._data, 0, self._encoding)) < 0:
            try:
                more = self._socket.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                rest, self._data = self._data, b""
                return rest + END
            self._data += more
        found, self._data = self._data[:end], self._data[end:]
        return found

    def ask(self, *pairs: tuple[str, str]) -> bytes:
        """Send one attribute list and return the reply."""
        self.send(*pairs)
        return self.receive()

    def send_descriptor(self, fd: int) -> None:
        """Pass a descriptor as Postfix does, with one byte."""
        socket.send_fds(self._socket, [b"\0"], [fd])

    def receive_descriptor(self) -> int:
        """Take a descriptor."""
        assert not self._data
        data, ancillary, _flags, _address = self._socket.recvmsg(1, socket.CMSG_SPACE(array.array("i").itemsize))
        assert data, "the server closed the connection"
        [(_level, _kind, payload)] = ancillary
        return int.from_bytes(payload[:4], "little")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._socket.close()


def ask(mta: Instance, path: str, *requests: Iterable[tuple[str, str]], encoding: Encoding = "null") -> list[bytes]:
    """Return the greeting and the reply to each request, all over one connection."""
    with Client(mta, path, encoding) as client:
        replies = [client.receive()]
        for request in requests:
            try:
                client.send(*request)
            except BrokenPipeError:
                replies.append(END)
            else:
                replies.append(client.receive())
        return replies


def temporary(text: bytes) -> int:
    """Return the descriptor of a nameless file with *text*."""
    fd = os.memfd_create("test")
    os.write(fd, text)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def pairs(text: str) -> list[tuple[str, str]]:
    """Return ``name=value name=value`` as pairs; an underscore stands for a blank in values."""
    return [(name, value) for name, _, value in (word.partition("=") for word in text.split())]
