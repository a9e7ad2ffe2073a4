"""Sessions that other processes may use: given to scache(8), and taken from it.

A session is known there by its server, and a destination points at servers.  What is said of both are the texts of
Postfix's smtp(8), so that its processes and ours take each other's.  Source: scache(8); CONNECTION_CACHE_README.
"""

from __future__ import annotations

import math
import os
import socket
import time
from _socket import socket as Socket
from collections.abc import Mapping
from typing import Final

from pyfix.clients.scache import SessionCacheClient
from pyfix.daemons.smtp.greeting import allow_groups
from pyfix.daemons.smtp.server import Server
from pyfix.daemons.smtp.session import Session
from pyfix.daemons.smtp.setup import Setup
from pyfix.formats.attributes import AttributeListError, decode_pairs, encode_pairs
from pyfix.protocols.smtp.features import BEST_SERVER, offer_of, offered
from pyfix.runtime.loop import current
from pyfix.runtime.stream import Stream
from pyfix.tls.policy import LEVELS

__all__ = ["SharedSessions"]

_LIST: Final = "plain"


class SharedSessions:
    """One process's way to the sessions of all."""

    def __init__(self, setup: Setup) -> None:
        settings = setup.settings
        self._setup: Final = setup
        self._cache: Final = SessionCacheClient(
            settings.connection_cache_service_name,
            timeout=settings.connection_cache_protocol_timeout,
            idle=settings.ipc_idle,
            ttl=settings.ipc_ttl,
        )

    def takes(self, session: Session) -> bool:
        """Tell whether a session may be anybody's: with a host, in the clear, and without a login."""
        secret = session.encrypted is not None or session.authenticated or session.personal
        return not secret and session.server.port > 0

    def _label(self, *words: str | int) -> str:
        return "".join(f"{word}\n" for word in (self._setup.service, *words))

    def _server_label(self, server: Server, level: str) -> str:
        return self._label(server.address, server.port, LEVELS.index(level), 0, 0)

    async def give(self, session: Session) -> None:
        """Let others use a session, which is over for us."""
        server, destination, now = session.server, session.destination, current().now
        label = self._server_label(server, session.level)
        level = LEVELS.index(session.level)
        seconds = max(math.ceil(session.kept_until - now), 1)
        properties = {
            "tls_level": level,
            "reuse_count": session.reuse_count,
            "endpoint_features": offered(session.offer, esmtp=session.esmtp),
            "expire_time": int(time.time() + session.expires - now),
        }
        descriptor = session.stream.detach()
        try:
            if destination:
                features = BEST_SERVER if server.best else 0
                said = {
                    "destination": server.destination, "host_name": server.host, "host_addr": server.address,
                    "host_port": socket.htons(server.port), "destination_features": features,
                }  # fmt: skip
                way = self._label(destination, level, 0, 0)
                await self._cache.save_destination(way, _text(said), label, seconds)
            await self._cache.save(label, _text(properties), descriptor, seconds)
        finally:
            os.close(descriptor)

    async def take_for_destination(self, destination: str) -> Session | None:
        """Take a session that serves a destination.

        As Postfix's smtp, we ask before we know what is needed of TLS: what was saved under a level is found by server.
        """
        found = await self._cache.find_destination(self._label(destination, 0, 0, 0))
        if found is None:
            return None
        descriptor, said, properties = found
        try:
            words = dict(decode_pairs(said.encode("utf-8", "surrogateescape"), _LIST))
            port = socket.ntohs(int(words["host_port"]))
            best = bool(int(words["destination_features"]) & BEST_SERVER)
            server = Server(words["destination"], words["host_name"], words["host_addr"], port, best=best)
        except (AttributeListError, KeyError, ValueError, OverflowError):
            os.close(descriptor)
            return None
        return self._session(descriptor, server, properties)

    async def take_for_server(self, server: Server) -> Session | None:
        """Take a session with a server."""
        if not server.port:
            return None
        level = await self._setup.encryption.level_of(server)
        found = await self._cache.find(self._server_label(server, level))
        return None if found is None else self._session(found[0], server, found[1])

    def _session(self, descriptor: int, server: Server, properties: str) -> Session | None:
        """Go on with a session; None for one that is over, or said to be what it can't be."""
        connection = Socket(fileno=descriptor)
        connection.setblocking(False)
        try:
            words = dict(decode_pairs(properties.encode("utf-8", "surrogateescape"), _LIST))
            level, count, bits, expires = (
                int(words[name]) for name in ("tls_level", "reuse_count", "endpoint_features", "expire_time")
            )
            name = LEVELS[level]
        except (AttributeListError, KeyError, ValueError, IndexError):
            connection.close()
            return None
        if not _waits(connection):
            connection.close()
            return None
        session = self._setup.new_session(server, Stream(connection))
        session.level, session.reuse_count = name, count + 1
        session.offer, session.esmtp = offer_of(bits), bool(bits & 1)
        session.expires = current().now + expires - time.time()
        if "PIPELINING" in session.offer:
            allow_groups(session, "", self._setup)
        return session

    def close(self) -> None:
        """Close the connections to the cache."""
        self._cache.close()


def _text(words: Mapping[str, object]) -> str:
    pairs = [(name, str(value)) for name, value in words.items()]
    return encode_pairs(pairs, _LIST).decode("utf-8", "surrogateescape")


def _waits(connection: Socket) -> bool:
    """Tell whether the server has said nothing and not left."""
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False
