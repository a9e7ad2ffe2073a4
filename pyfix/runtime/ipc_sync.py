"""Questions to the daemons from commands, which have no event loop and wait for each answer."""

from __future__ import annotations

import os
import socket

from pyfix.formats.attributes import AttributeListError, Attributes, Encoding, decode_pairs, end_of_list
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeVar

    Reply = TypeVar("Reply", bound=Attributes)


class Connection:
    """A blocking connection to one daemon.  Raises OSError when it cannot be made."""

    def __init__(self, path: str, timeout: float, encoding: Encoding = "null") -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout or None)
        self._encoding: Encoding = encoding
        self._buffer = b""
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise

    def send(self, data: bytes) -> None:
        """Send all of *data*.  Raises OSError."""
        self._socket.sendall(data)

    def receive_pairs(self) -> list[tuple[str, str]] | None:
        """Return the next attribute list, None at the end.  Raises OSError, AttributeListError."""
        while True:
            end = end_of_list(self._buffer, 0, self._encoding)
            if end >= 0:
                data, self._buffer = self._buffer[:end], self._buffer[end:]
                return decode_pairs(data, self._encoding)
            more = self._socket.recv(65536)
            if not more:
                if self._buffer:
                    raise AttributeListError("end of input in an attribute list")
                return None
            self._buffer += more

    def expect_handshake(self, protocol: str) -> list[tuple[str, str]]:
        """Read what the server says first; return what follows its protocol's name.

        Raises AttributeListError for another protocol.
        """
        pairs = self.receive_pairs()
        if not pairs or pairs[0] != ("protocol", protocol):
            raise AttributeListError(f"unexpected protocol (expecting: {protocol})")
        return pairs[1:]

    def ask(self, request: Attributes, reply: type[Reply]) -> Reply:
        """Return the answer to *request*.  Raises OSError, AttributeListError."""
        self.send(request.encode())
        pairs = self.receive_pairs()
        if pairs is None:
            raise AttributeListError("no answer")
        return reply.from_pairs(pairs)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def trigger(path: str, requests: bytes, timeout: float = 5) -> None:
    """Write the bytes of a trigger to a socket or FIFO.  Raises OSError when nobody takes them."""
    if os.path.exists(path) and not _is_socket(path):
        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(fd, requests)
        finally:
            os.close(fd)
        return
    with Connection(path, timeout) as connection:
        connection.send(requests)


def trigger_or_warn(path: str, requests: bytes, timeout: float = 5) -> bool:
    """Trigger, and tell whether somebody took it; warn of what is no endpoint, as postkick(1) and postqueue(1) do."""
    try:
        trigger(path, requests, timeout)
    except IsADirectoryError:
        log.warning(f"{path} is not a socket or a fifo")
    except ConnectionError:
        return False
    except OSError as error:
        log.warning(f"unable to look up {path}: {error.strerror or error}")
    else:
        return True
    return False


def _is_socket(path: str) -> bool:
    import stat

    return stat.S_ISSOCK(os.stat(path).st_mode)


def encode_request(pairs: Sequence[tuple[str, str]]) -> bytes:
    """Return a request for which there is no message class."""
    from pyfix.formats.attributes import encode_pairs

    return encode_pairs(pairs)
