"""Connection and request counts by client, kept by anvil(8) for all servers together.

Source: anvil(8); postconf(5) smtpd_client_connection_count_limit and its neighbours.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from pyfix.formats.attributes import AttributeListError, Attributes
from pyfix.protocols.internal.anvil import (
    OK,
    PROTOCOL,
    Connect,
    ConnectReply,
    CountReply,
    Disconnect,
    Event,
    StatusReply,
)
from pyfix.runtime.daemon import background
from pyfix.runtime.ipc import ServiceError, connect, expect_handshake, receive_list
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout
from pyfix.runtime.task import Waiter

__all__ = ["AUTH", "MESSAGE", "NEW_TLS", "NEW_TLS_STATUS", "RECIPIENT", "AnvilClient"]

MESSAGE: Final = "message"
RECIPIENT: Final = "recipient"
NEW_TLS: Final = "newtls"
NEW_TLS_STATUS: Final = "newtls_status"
"""Asks, and counts nothing."""
AUTH: Final = "auth"

_ENCODING: Final = ConnectReply.ENCODING


class AnvilClient:
    """One connection to anvil(8) for the whole process.

    A question is sent when the one before is answered: Postfix's anvil leaves alone what comes behind a
    question in the same packet.  The connection stays open: when it closes, anvil forgets the
    connections that were counted over it.
    """

    def __init__(self, service_name: str, timeout: float) -> None:
        self._path = f"private/{service_name}"
        self._timeout = timeout
        self._stream: Stream | None = None
        self._asked: deque[tuple[bytes, Waiter[bytes | None]]] = deque()
        """Questions, of which the first is on its way."""
        self._open: dict[str, int] = {}
        """Connections that were counted in and not out."""

    async def _ask(self, request: Attributes) -> bytes | None:
        """Return the reply as it came, None when anvil can't be asked."""
        if self._stream is None:
            try:
                stream = await connect(self._path, self._timeout)
            except ServiceError as error:
                log.warning(f"problem talking to service anvil: {error}")
                return None
            if self._stream is None:
                self._stream = stream
                stream.timeout = 0
                background(self._listen(stream))
            else:
                stream.close()
        waiter: Waiter[bytes | None] = Waiter()
        self._asked.append((request.encode(), waiter))
        if len(self._asked) == 1:
            self._send(self._stream)
        return await waiter

    def _send(self, stream: Stream) -> None:
        stream.write(self._asked[0][0])
        try:
            stream.flush()
        except StreamClosed:
            # The listener sees it too, and answers everybody who waits.
            pass

    async def _listen(self, stream: Stream) -> None:
        try:
            await expect_handshake(stream, PROTOCOL, _ENCODING)
            while (reply := await receive_list(stream, _ENCODING)) is not None:
                _, waiter = self._asked.popleft()
                if self._asked:
                    self._send(stream)
                waiter.wake_soon(reply)
        except (ServiceError, StreamClosed, StreamTimeout, AttributeListError, IndexError) as error:
            log.debug(f"{self._path}: {error}")
        finally:
            stream.close()
            self._stream = None
            asked, self._asked = self._asked, deque()
            for _, waiter in asked:
                waiter.wake_soon(None)

    async def connected(self, ident: str) -> tuple[int, int] | None:
        """Count a connection in; return open connections and connections in the last time unit, None if unknown.

        *ident* is ``service:address``.  Postfix's anvil counts one connection for each process that asks; where ours
        has more, it knows better.
        """
        own = self._open[ident] = self._open.get(ident, 0) + 1
        reply = await self._ask(Connect(ident=ident))
        if reply is None:
            return None
        try:
            counts = ConnectReply.decode(reply)
        except AttributeListError:
            return None
        return (max(counts.count, own), counts.rate) if counts.status == OK else None

    async def disconnected(self, ident: str) -> None:
        """Count a connection out."""
        left = self._open.get(ident, 0) - 1
        if left > 0:
            self._open[ident] = left
        else:
            self._open.pop(ident, None)
        reply = await self._ask(Disconnect(ident=ident))
        if reply is not None and StatusReply.decode(reply).status != OK:
            log.debug(f"{self._path}: disconnect of {ident} refused")

    async def event(self, kind: str, ident: str) -> int | None:
        """Count MESSAGE, RECIPIENT, NEW_TLS or AUTH; return how many there were in the last time unit."""
        reply = await self._ask(Event(request=kind, ident=ident))
        if reply is None:
            return None
        try:
            count = CountReply.decode(reply)
        except AttributeListError:
            return None
        return count.rate if count.status == OK else None
