"""Clients that come through a proxy, which says who they are before they say anything.

Without that nobody could be told from anybody: who comes with a bad header, or with none, must leave.
Source: postconf(5) smtpd_upstream_proxy_protocol, smtpd_upstream_proxy_timeout.
"""

from __future__ import annotations

from typing import Final

from pyfix.access.peer import PeerNames
from pyfix.access.transaction import NAME_PERMANENT, UNKNOWN, Client
from pyfix.config.errors import ConfigError
from pyfix.config.own_networks import address_families
from pyfix.config.snapshot import Snapshot
from pyfix.formats.textforms import escape
from pyfix.protocols.haproxy import LARGEST, Endpoints, ProxyHeaderError, parse_header
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout

__all__ = ["Upstream"]

_HAPROXY: Final = "haproxy"


class _NobodyKnown(Exception):
    """The proxy did not say who the client is; the text says what is wrong."""


class Upstream:
    """The proxy before us."""

    def __init__(self, snapshot: Snapshot, protocol: str, timeout: float, *, log_port: bool) -> None:
        """*protocol*: what it speaks; *timeout*: seconds that it is waited for.  Raises ConfigError."""
        if protocol != _HAPROXY:
            raise ConfigError(f"unsupported smtpd_upstream_proxy_protocol value: {protocol}")
        self._timeout = timeout
        self._log_port = log_port
        self._ipv4, self._ipv6 = address_families(snapshot)

    async def client_of(self, stream: Stream, peers: PeerNames) -> tuple[Client | None, bool]:
        """Return the client, None when it is gone already, and whether it is known who it is."""
        try:
            endpoints = await self._endpoints(stream)
        except _NobodyKnown as problem:
            log.warning(f"haproxy read: {problem}")
            return self._nobody(), False
        if endpoints is None:
            return await peers.client_of(stream.socket), True
        return await peers.client_at(*endpoints), True

    async def _endpoints(self, stream: Stream) -> Endpoints | None:
        """Read the header.  Raises _NobodyKnown."""
        stream.timeout = self._timeout
        try:
            data = await stream.read()
        except StreamTimeout:
            raise _NobodyKnown("timeout error") from None
        except StreamClosed as error:
            raise _NobodyKnown(str(error)) from None
        if not data:
            raise _NobodyKnown("EOF")
        try:
            header = parse_header(data, ipv4=self._ipv4, ipv6=self._ipv6)
        except ProxyHeaderError as error:
            raise _NobodyKnown(f"{error}: {escape(data[:LARGEST])}") from None
        if header.size < len(data):
            stream.unread(data[header.size :])
        return header.endpoints

    def _nobody(self) -> Client:
        return Client(
            UNKNOWN, UNKNOWN, UNKNOWN, name_status=NAME_PERMANENT, reverse_status=NAME_PERMANENT,
            log_port=self._log_port,
        )  # fmt: skip
