"""Who the client is: its address, and what the DNS calls it.

Source: smtpd(8); postconf(5) smtpd_peername_lookup, smtpd_client_port_logging.
"""

from __future__ import annotations

import socket
from _socket import socket as Socket
from typing import Final

from pyfix.access.transaction import NAME_FORGED, NAME_OK, NAME_PERMANENT, NAME_TEMPORARY, UNKNOWN, Client
from pyfix.formats.domain import is_hostaddr, is_hostname
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.threads import in_thread

__all__ = ["PeerNames", "local_client"]

_REMEMBERED_FOR: Final = 60.0
_MOST_REMEMBERED: Final = 1000
_MAPPED: Final = "::ffff:"

_Names = tuple[str, int, str, int]
"""Verified name, its status, name of the address, its status."""


def local_client(*, log_port: bool = False) -> Client:
    """Return the client that whoever has no network address is taken for."""
    return Client(
        "localhost", "127.0.0.1", "0", reverse_name="localhost", family=0,
        server_address="127.0.0.1", server_port="0", log_port=log_port,
    )  # fmt: skip


class PeerNames:
    """Finds the names of clients, and remembers them for a minute."""

    def __init__(self, *, lookup: bool, log_port: bool) -> None:
        self._lookup = lookup
        self._log_port = log_port
        self._known: dict[str, tuple[_Names, float]] = {}

    async def client_of(self, connection: Socket) -> Client | None:
        """Return the client at the other end of a connection; None when it is gone already."""
        if connection.family not in (socket.AF_INET, socket.AF_INET6):
            return local_client(log_port=self._log_port)
        try:
            peer = connection.getpeername()
            own = connection.getsockname()
        except OSError:
            return None
        address, port = _plain(peer[0]), str(peer[1])
        return await self.client_at(address, port, _plain(own[0]), str(own[1]))

    async def client_at(self, address: str, port: str, server_address: str, server_port: str) -> Client:
        """Return the client that an address belongs to."""
        names: _Names = (UNKNOWN, NAME_PERMANENT, UNKNOWN, NAME_PERMANENT)
        if self._lookup:
            now = current().now
            entry = self._known.get(address)
            if entry is not None and entry[1] > now:
                names = entry[0]
            else:
                names = await in_thread(_look_up, address)
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.clear()
                self._known[address] = (names, now + _REMEMBERED_FOR)
        name, status, reverse, reverse_status = names
        return Client(
            name,
            address,
            port,
            reverse_name=reverse,
            family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            server_address=server_address,
            server_port=server_port,
            name_status=status,
            reverse_status=reverse_status,
            log_port=self._log_port,
        )


def _plain(address: str) -> str:
    """Return an IPv4 address that came over an IPv6 socket as such, and an IPv6 one without its zone."""
    if address.startswith(_MAPPED) and "." in address:
        return address[len(_MAPPED) :]
    return address.partition("%")[0]


def _look_up(address: str) -> _Names:
    """Ask the system for the name of an address, and whether the name has this address.  Blocks."""
    try:
        reverse = socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]
    except socket.gaierror as error:
        status = NAME_TEMPORARY if error.errno == socket.EAI_AGAIN else NAME_PERMANENT
        return UNKNOWN, status, UNKNOWN, status
    except OSError:
        return UNKNOWN, NAME_TEMPORARY, UNKNOWN, NAME_TEMPORARY
    if is_hostaddr(reverse) or not is_hostname(reverse):
        log.warning(f"malformed or numeric hostname {reverse} for address {address}")
        return UNKNOWN, NAME_PERMANENT, UNKNOWN, NAME_PERMANENT
    try:
        found = socket.getaddrinfo(reverse, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        log.warning(f"hostname {reverse} does not resolve to address {address}: {error.strerror}")
        status = NAME_TEMPORARY if error.errno == socket.EAI_AGAIN else NAME_FORGED
        return UNKNOWN, status, reverse, NAME_OK
    if any(_plain(str(entry[4][0])) == address for entry in found):
        return reverse, NAME_OK, reverse, NAME_OK
    log.warning(f"hostname {reverse} does not resolve to address {address}")
    return UNKNOWN, NAME_FORGED, reverse, NAME_OK
