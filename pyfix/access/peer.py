"""Who the client is: its address, and what the DNS calls it.

Source: smtpd(8), qmqpd(8); postconf(5) smtpd_peername_lookup, smtpd_client_port_logging.
"""

from __future__ import annotations

import socket
from _socket import socket as Socket
from typing import Final, NamedTuple

from pyfix.access.transaction import NAME_FORGED, NAME_OK, NAME_PERMANENT, NAME_TEMPORARY, UNKNOWN, Client
from pyfix.config.startup import hostname_complaint
from pyfix.formats.domain import is_hostaddr
from pyfix.runtime.hostnames import HostLookupError, addresses_of, name_of, plain_address
from pyfix.runtime.log import log
from pyfix.runtime.loop import current

__all__ = ["PeerNames", "local_client"]

_REMEMBERED_FOR: Final = 60.0
_MOST_REMEMBERED: Final = 1000


class _Names(NamedTuple):
    """What the DNS says about an address."""

    name: str = UNKNOWN
    """The verified name."""
    status: int = NAME_PERMANENT
    reverse: str = UNKNOWN
    """The name of the address, verified or not."""
    reverse_status: int = NAME_PERMANENT
    warning: str = ""
    """What the log is told each time."""


def local_client(*, log_port: bool = False) -> Client:
    """Return the client that whoever has no network address is taken for."""
    return Client(
        "localhost", "127.0.0.1", "0", reverse_name="localhost", family=0,
        server_address="127.0.0.1", server_port="0", log_port=log_port,
    )  # fmt: skip


class PeerNames:
    """Finds the names of clients, and remembers them for a minute unless they may be different the next time."""

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
        return await self.client_at(plain_address(peer[0]), str(peer[1]), plain_address(own[0]), str(own[1]))

    async def client_at(self, address: str, port: str, server_address: str, server_port: str) -> Client:
        """Return the client that an address belongs to."""
        names = await self._names_of(address) if self._lookup else _Names()
        if names.warning:
            log.warning(names.warning)
        return Client(
            names.name,
            address,
            port,
            reverse_name=names.reverse,
            family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            server_address=server_address,
            server_port=server_port,
            name_status=names.status,
            reverse_status=names.reverse_status,
            log_port=self._log_port,
        )

    async def _names_of(self, address: str) -> _Names:
        now = current().now
        entry = self._known.get(address)
        if entry is not None and entry[1] > now:
            return entry[0]
        names = await _look_up(address)
        if NAME_TEMPORARY not in (names.status, names.reverse_status):
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[address] = (names, now + _REMEMBERED_FOR)
        return names


async def _look_up(address: str) -> _Names:
    """Ask the system for the name of an address, and whether the name has this address."""
    try:
        reverse = await name_of(address)
    except HostLookupError as error:
        status = NAME_TEMPORARY if error.temporary else NAME_PERMANENT
        return _Names(status=status, reverse_status=status)
    if is_hostaddr(reverse):
        return _Names(warning=f"numeric hostname: {reverse}")
    if complaint := hostname_complaint(reverse):
        return _Names(warning=f"valid_hostname: {complaint}")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    warning = f"hostname {reverse} does not resolve to address {address}"
    try:
        found = await addresses_of(reverse, family)
    except HostLookupError as error:
        status = NAME_TEMPORARY if error.temporary else NAME_FORGED
        return _Names(UNKNOWN, status, reverse, NAME_OK, f"{warning}: {error}")
    if address in found:
        return _Names(reverse, NAME_OK, reverse, NAME_OK)
    return _Names(UNKNOWN, NAME_FORGED, reverse, NAME_OK, warning)
