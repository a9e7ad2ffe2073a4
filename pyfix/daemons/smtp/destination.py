"""Next hops as qmgr(8) and main.cf write them: ``host``, ``host:port``, ``[host]:port``, with or without ``unix:``.

Source: postconf(5) relayhost, transport_maps; lmtp(8).
"""

from __future__ import annotations

import socket
from typing import NamedTuple

__all__ = ["BadDestination", "Destination", "parse_destination"]


class BadDestination(ValueError):
    """The text names no place; it is what Postfix's program ends over."""


class Destination(NamedTuple):
    """A domain or a host."""

    text: str
    """As it was written."""
    host: str
    port: int
    service: str
    """The port as it was written, perhaps a name."""
    is_host: bool
    """It was written in brackets: no MX records are to be looked up."""


def parse_destination(text: str, default_service: str) -> Destination:
    """Read one next hop.  Raises BadDestination."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed:
            raise BadDestination(f'missing "]" in server description: {text}')
        if rest and not rest.startswith(":"):
            raise BadDestination(f'garbage after "]" in server description: {text}')
        service = rest[1:]
    else:
        host, _, service = text.partition(":")
    if not host:
        raise BadDestination(f"missing host information in server description: {text}")
    service = service or default_service
    return Destination(text, host, _port(service, text), service, text.startswith("["))


def _port(service: str, text: str) -> int:
    if service.isdigit():
        port = int(service)
        if not 0 < port < 65536:
            raise BadDestination(f"bad network port: {service} for destination: {text}")
        return port
    try:
        return socket.getservbyname(service, "tcp")
    except OSError:
        raise BadDestination(f"unknown service: {service}/tcp") from None
