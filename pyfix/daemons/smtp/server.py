"""The names of one server, as log lines and notices have them."""

from __future__ import annotations

from typing import NamedTuple

from pyfix.runtime.outgoing import Address


class Vouched(NamedTuple):
    """What DNSSEC says of the records by which a server was found."""

    host: bool = False
    """Its address is vouched for."""
    names: tuple[str, str] = ("", "")
    """The name whose address was asked for, and the one at the end of its aliases."""
    exchange: bool | None = None
    """The MX record is vouched for; None where there is none."""
    domains: tuple[str, ...] = ()
    """The name at the end of the aliases of the domain, and the domain, where there is an MX record."""


class Server(NamedTuple):
    """One address of one host of a destination."""

    destination: str
    """The next-hop destination that it is tried for."""
    host: str
    address: str
    """Numerical, or a path."""
    port: int = 0
    """0 for a socket in the file system."""
    preference: int = 0
    """Of the MX record, or 0."""
    best: bool = False
    """No other server of the destination has a better preference."""
    vouched: Vouched = Vouched()

    @property
    def name(self) -> str:
        """``host[address]``."""
        return f"{self.host}[{self.address}]"

    @property
    def full_name(self) -> str:
        """``host[address]:port``; what relay= has in the log."""
        return f"{self.host}[{self.address}]:{self.port}" if self.port else f"{self.host}[{self.address}]"

    @property
    def is_ipv6(self) -> bool:
        """Whether the address is one of IPv6."""
        return self.port > 0 and ":" in self.address

    @property
    def endpoint(self) -> Address:
        """Where to connect to."""
        return (self.address, self.port) if self.port else self.address
