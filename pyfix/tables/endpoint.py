"""How tables name the servers that they ask: ``host:port``, ``inet:host:port``, ``unix:path``.

Source: tcp_table(5), socketmap_table(5), memcache_table(5).
"""

from __future__ import annotations

import re
import socket

from pyfix.runtime.wire import Endpoint
from pyfix.tables.network import packed_address
from pyfix.tables.table import TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final

    from pyfix.tables.table import Opening

_NUMERIC_GARBAGE: Final = re.compile(r"\d+\D")
_LABEL: Final = "[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")


def _families(opening: Opening) -> tuple[int, ...]:
    wanted = opening.setting("inet_protocols", "all").replace(",", " ").lower().split()
    families = {"ipv4": int(socket.AF_INET), "ipv6": int(socket.AF_INET6)}
    return tuple(families[word] for word in wanted if word in families)


def inet_endpoint(text: str, opening: Opening) -> Endpoint:
    """Return what ``host:port`` names; the host may stand in brackets.  Raises TableError."""
    bracket = text.startswith("[")
    if bracket:
        host, closed, rest = text[1:].partition("]")
        if not closed:
            raise TableError(f'{text}: missing "]"')
        if rest and not rest.startswith(":"):
            raise TableError(f'{text}: garbage after "]"')
        service = rest[1:]
    else:
        host, _, service = text.rpartition(":")
    if not service:
        raise TableError(f"{text}: missing service information")
    if _NUMERIC_GARBAGE.match(service):
        raise TableError(f"{text}: garbage after numerical service")
    if (host or bracket) and not _HOST.fullmatch(host) and packed_address(host) is None:
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
