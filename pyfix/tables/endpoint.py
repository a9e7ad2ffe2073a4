"""How tables name the servers that they ask: ``host:port``, ``inet:host:port``, ``unix:path``.

Source: tcp_table(5), socketmap_table(5), memcache_table(5).
"""

from __future__ import annotations

import re
import socket

from pyfix.formats.hostport import split_host_port
from pyfix.runtime.wire import Endpoint
from pyfix.tables.network import packed_address
from pyfix.tables.table import TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final

    from pyfix.tables.table import Opening

_LABEL: Final = "[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")


def _families(opening: Opening) -> tuple[int, ...]:
    wanted = opening.setting("inet_protocols", "all").replace(",", " ").lower().split()
    families = {"ipv4": int(socket.AF_INET), "ipv6": int(socket.AF_INET6)}
    return tuple(families[word] for word in wanted if word in families)


def inet_endpoint(text: str, opening: Opening) -> Endpoint:
    """Return what ``host:port`` names; the host may stand in brackets.  Raises TableError."""
    try:
        host, service = split_host_port(text)
    except ValueError as problem:
        raise TableError(f"{text}: {problem}") from None
    if (host or text.startswith("[")) and not _HOST.fullmatch(host) and packed_address(host) is None:
        raise TableError(f"{text}: valid hostname or network address required")
    return Endpoint(host, service, families=_families(opening))


def endpoint(text: str, opening: Opening) -> tuple[Endpoint, str]:
    """Return what ``inet:host:port`` or ``unix:path`` names, and the text behind the transport.  Raises TableError."""
    transport, colon, address = text.partition(":")
    if not colon or not address:
        raise TableError(f'need service transport:endpoint instead of "{text}"')
    if transport == "inet":
        return inet_endpoint(address, opening), address
    if transport == "unix":
        return Endpoint(path=address), address
    raise TableError(f"invalid transport name: {transport} in service: {text}")
