"""A new message for cleanup(8): queue id, flags, records, and the answer whether it is safe.

Source: cleanup(8); postconf(5) cleanup_service_name, receive_override_options.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pyfix.formats.attributes import AttributeListError, decode_pairs
from pyfix.protocols.internal.cleanup import (
    BCC_OK,
    FILTER,
    MAP_OK,
    MILTER,
    NEXT_MESSAGE,
    PROTOCOL,
    Flags,
    Status,
)
from pyfix.protocols.internal.milters import GOT_IT
from pyfix.runtime.ipc import IdleStreams, ServiceError, connect, expect_handshake, receive
from pyfix.runtime.loop import current
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout

__all__ = ["NewMessage", "input_flags"]

_OVERRIDES: Final = {
    "no_unknown_recipient_checks": 0,
    "no_address_mappings": MAP_OK | BCC_OK,
    "no_header_body_checks": FILTER,
    "no_milters": MILTER,
}
_SOME: Final = 32768
"""Records of this many bytes are sent on; fewer wait for more."""
_MUCH: Final = 262144
"""With this much unsent the writer waits for cleanup."""


def input_flags(overrides: Iterable[str], *, milters: bool = False) -> int:
    """Return the flags for mail from outside, less what receive_override_options turns off."""
    flags = FILTER | BCC_OK | MAP_OK | (MILTER if milters else 0)
    for word in overrides:
        flags &= ~_OVERRIDES[word]
    return flags


class NewMessage:
    """A message on its way to cleanup(8).

    Open it, write records that end with an E record, and finish; or cancel, and it never was.
    """

    __slots__ = ("_born", "_idle", "_stream", "_waiting", "queue_id")

    def __init__(self, stream: Stream, queue_id: str, idle: IdleStreams | None = None, born: float = 0.0) -> None:
        self._stream = stream
        self._idle = idle
        """Where the connection goes when the message is accepted."""
        self._born = born
        self._waiting: list[bytes] = []
        self.queue_id = queue_id

    @classmethod
    async def open(cls, service_name: str, flags: int, timeout: float, idle: IdleStreams | None = None) -> NewMessage:
        """Connect and learn the queue id.  Raises ServiceError.

        *idle* keeps connections for several messages, with which pyfix's own cleanup(8) agrees, and Postfix's does not.
        """
        path = f"public/{service_name}"
        message = None
        while message is None and idle is not None and (kept := idle.take()) is not None:
            stream, born = kept
            try:
                message = cls(stream, await _queue_id(stream, path), idle, born)
            except _Gone:
                continue
        if message is None:
            stream = await connect(path, timeout)
            try:
                message = cls(stream, await _queue_id(stream, path), idle, current().now)
            except _Gone as gone:
                raise ServiceError(f"{path}: {gone}") from gone
        message.write(Flags(flags=flags).encode())
        return message

    def write(self, records: bytes) -> None:
        """Add records; they leave in large blocks."""
        self._waiting.append(records)

    async def relieve(self) -> None:
        """Send what has gathered, and wait while cleanup is behind.  Raises ServiceError."""
        if sum(map(len, self._waiting)) < _SOME:
            return
        self._push()
        try:
            if not self._stream.flush() and self._stream.unsent > _MUCH:
                await self._stream.drain()
        except (StreamTimeout, StreamClosed) as error:
            raise ServiceError(str(error) or "Connection timed out") from error

    def send_early(self) -> None:
        """Send what has gathered, if nobody else waits: cleanup(8) takes it while the client goes on."""
        self._push()
        self._stream.send_early()

    def _push(self) -> None:
        if self._waiting:
            self._stream.write(b"".join(self._waiting))
            self._waiting.clear()

    async def pass_descriptors(self, pieces: Sequence[tuple[bytes, int]]) -> bool:
        """Send what has gathered, then each piece and an open descriptor when cleanup(8) waits for it.

        Returns whether it took them all.  Raises ServiceError.
        """
        stream = self._stream
        try:
            for data, descriptor in pieces:
                self._waiting.append(data)
                self._push()
                await _hear(stream, GOT_IT)
                await stream.send_descriptor(descriptor)
                await _hear(stream, GOT_IT)
            data = b""
            while (end := data.find(b"\0\0")) < 0:
                more = await stream.read()
                if not more:
                    raise StreamClosed("end of input")
                data += more
        except (StreamTimeout, StreamClosed) as error:
            raise ServiceError(str(error) or "Connection timed out") from error
        return decode_pairs(data[: end + 2]) == [("status", "0")]

    async def finish(self) -> Status:
        """Send the rest and return what cleanup says.  Raises ServiceError."""
        if self._idle is not None:
            self._waiting.append(NEXT_MESSAGE)
        self._push()
        try:
            status = await receive(self._stream, Status)
        except (StreamTimeout, StreamClosed, AttributeListError) as error:
            self._stream.close()
            raise ServiceError(str(error) or "Connection timed out") from error
        except BaseException:
            self._stream.close()
            raise
        if self._idle is None or status.status:
            self._stream.close()
        else:
            # With the next queue id, which is there or on its way.
            self._idle.put(self._stream, self._born)
        return status

    def cancel(self) -> None:
        """Close without an E record: cleanup removes the file, and says so of a message that has begun."""
        self._push()
        self._stream.close()


async def _hear(stream: Stream, expected: bytes) -> None:
    """Wait for what the server must say now.  Raises ServiceError, StreamClosed, StreamTimeout."""
    data = b""
    while len(data) < len(expected):
        more = await stream.read()
        if not more:
            raise StreamClosed("end of input")
        data += more
    if not data.startswith(expected):
        raise ServiceError("protocol error")
    if len(data) > len(expected):
        stream.unread(data[len(expected) :])


class _Gone(Exception):
    """The server is not there any more, or never was."""


async def _queue_id(stream: Stream, path: str) -> str:
    """Return the queue id that the server tells first; on failure close.  Raises _Gone, ServiceError."""
    try:
        pairs = await expect_handshake(stream, PROTOCOL)
        if not pairs or pairs[0][0] != "queue_id":
            raise ServiceError(f"{path}: no queue id")
    except (StreamTimeout, StreamClosed, AttributeListError) as error:
        stream.close()
        raise _Gone(str(error) or "Connection timed out") from error
    except BaseException:
        stream.close()
        raise
    return pairs[0][1]
