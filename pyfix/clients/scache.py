"""Open SMTP sessions given to scache(8), and taken from it, by server and by destination.

Source: scache(8); CONNECTION_CACHE_README.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from pyfix.formats.attributes import AttributeListError, Attributes
from pyfix.protocols.internal.scache import (
    OK,
    PROTOCOL,
    FindDestination,
    FindEndpoint,
    FoundDestination,
    FoundEndpoint,
    Ready,
    SaveDestination,
    SaveEndpoint,
    Status,
)
from pyfix.runtime.ipc import IdleStreams, ServiceError, connect, expect_handshake, receive
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout

__all__ = ["SessionCacheClient"]

_TRIES: Final = 2
_Answer = TypeVar("_Answer")
_Found = TypeVar("_Found", FoundEndpoint, FoundDestination)


class SessionCacheClient:
    """One process's way to scache; what it says of a session is bytes that only its users understand.

    A cache that can't be asked has no session, and keeps none; the log says why, and it is asked again after *ttl*
    seconds.
    """

    def __init__(self, service_name: str, *, timeout: float, idle: float, ttl: float) -> None:
        self._path: Final = f"private/{service_name}"
        self._timeout: Final = timeout
        self._idle: Final = IdleStreams(idle, ttl)
        self._pause: Final = ttl
        self._silent_until = 0.0
        """Until then the cache, which could not be asked, is left alone."""

    async def save(self, label: str, properties: str, descriptor: int, seconds: int) -> bool:
        """Let a session be kept for *seconds*; *descriptor* stays the caller's.  Tell whether it is."""

        async def pass_it(stream: Stream) -> bool:
            await receive(stream, Ready)
            await stream.send_descriptor(descriptor)
            return (await receive(stream, Status)).status == OK

        request = SaveEndpoint(ttl=seconds, label=label, property=properties)
        return bool(await self._ask(request, pass_it))

    async def save_destination(self, label: str, properties: str, endpoint_label: str, seconds: int) -> None:
        """Say that sessions of an endpoint serve a destination."""

        async def listen(stream: Stream) -> bool:
            return (await receive(stream, Status)).status == OK

        request = SaveDestination(ttl=seconds, label=label, property=properties, endpoint_label=endpoint_label)
        await self._ask(request, listen)

    async def find(self, label: str) -> tuple[int, str] | None:
        """Take a session with a server: its descriptor and properties; None when there is none."""
        found = await self._ask(FindEndpoint(label=label), lambda stream: self._take(stream, FoundEndpoint))
        return None if found is None else (found[0], found[1].property)

    async def find_destination(self, label: str) -> tuple[int, str, str] | None:
        """Take a session that serves a destination: its descriptor, and what was said of both."""
        found = await self._ask(FindDestination(label=label), lambda stream: self._take(stream, FoundDestination))
        return None if found is None else (found[0], found[1].property, found[1].endpoint_property)

    async def _take(self, stream: Stream, kind: type[_Found]) -> tuple[int, _Found] | None:
        reply = await receive(stream, kind)
        if reply.status != OK:
            return None
        stream.write(Ready().encode())
        descriptor = await stream.receive_descriptor()
        try:
            stream.write(Ready().encode())
            await stream.drain()
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor, reply

    async def _ask(self, request: Attributes, answer: Callable[[Stream], Awaitable[_Answer]]) -> _Answer | None:
        """Ask over a connection that is kept for the next question; None where that does not work."""
        if current().now < self._silent_until:
            return None
        for _ in range(_TRIES):
            kept = self._idle.take()
            try:
                stream, born = kept or (await connect(self._path, self._timeout), current().now)
            except ServiceError as error:
                log.warning(str(error))
                continue
            try:
                stream.write(request.encode())
                if kept is None:
                    await expect_handshake(stream, PROTOCOL)
                found = await answer(stream)
            except (StreamClosed, StreamTimeout, AttributeListError, ServiceError) as error:
                stream.close()
                if kept is None:
                    log.warning(f"problem talking to service {self._path}: {error}")
                continue  # it may have ended since
            except BaseException:
                stream.close()
                raise
            self._idle.put(stream, born)
            return found
        log.warning("disabling connection caching")
        self._silent_until = current().now + self._pause
        return None

    def close(self) -> None:
        """Close the connections."""
        self._idle.close()
