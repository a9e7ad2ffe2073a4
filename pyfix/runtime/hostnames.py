"""Host names and addresses as this system knows them: the C library's look-ups, in threads of their own.

What the system's configuration asks besides the DNS (hosts files, directories) counts here.  Where only the DNS counts,
there is ``runtime/dns.py``.  Source: getaddrinfo(3), getnameinfo(3), nsswitch.conf(5).
"""

from __future__ import annotations

import socket
from typing import Final

from pyfix.runtime.threads import Threads

__all__ = ["HostLookupError", "addresses_of", "name_of", "plain_address"]

_THREADS: Final = Threads(100)
"""As many as Postfix has smtpd processes by default: where the DNS is slow, each of them would wait for it."""
_TEMPORARY: Final = (socket.EAI_AGAIN, socket.EAI_MEMORY, socket.EAI_SYSTEM)
_MAPPED: Final = "::ffff:"


class HostLookupError(Exception):
    """A name or address is not known; the text is the C library's."""

    def __init__(self, reason: str, *, temporary: bool) -> None:
        super().__init__(reason)
        self.temporary: Final = temporary


async def addresses_of(name: str, family: int = socket.AF_UNSPEC) -> list[str]:
    """Return the addresses of a host, in the system's order of preference.  Raises HostLookupError."""
    return await _THREADS.run(_addresses_of, name, family)


async def name_of(address: str) -> str:
    """Return the name of an address, whatever it is.  Raises HostLookupError."""
    return await _THREADS.run(_name_of, address)


def _addresses_of(name: str, family: int) -> list[str]:
    try:
        found = socket.getaddrinfo(name.encode("ascii", "replace"), None, family, socket.SOCK_STREAM)
    except OSError as error:
        raise _failure(error) from None
    except ValueError:  # a null byte
        raise HostLookupError("Name or service not known", temporary=False) from None
    return list(dict.fromkeys(plain_address(str(entry[4][0])) for entry in found))


def _name_of(address: str) -> str:
    try:
        return socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]
    except OSError as error:
        raise _failure(error) from None


def _failure(error: OSError) -> HostLookupError:
    temporary = not isinstance(error, socket.gaierror) or error.errno in _TEMPORARY
    return HostLookupError(error.strerror or str(error), temporary=temporary)


def plain_address(address: str) -> str:
    """Return an IPv4 address that came over an IPv6 socket as such, and an IPv6 one without its zone."""
    if address.startswith(_MAPPED) and "." in address:
        return address[len(_MAPPED) :]
    return address.partition("%")[0]
