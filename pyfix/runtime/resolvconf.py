"""Which name servers to ask, and how: resolv.conf.

Source: resolv.conf(5) of the C library, whose defaults and limits these are.
"""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass
from typing import Final

__all__ = ["NameServer", "ResolvConf", "ResolverConfiguration", "read_configuration"]

_PATH: Final = "/etc/resolv.conf"
_MOST_SERVERS: Final = 3
_MOST_NDOTS: Final = 15
_MOST_TIMEOUT: Final = 30
_MOST_ATTEMPTS: Final = 5
_COMMENT: Final = re.compile(r"^[;#].*", re.MULTILINE)
_SCOPED: Final = re.compile(r"(?P<address>[^%]+)(?:%(?P<scope>.+))?")


@dataclass(frozen=True, slots=True)
class NameServer:
    """A name server: what its socket is connected to."""

    family: int
    address: tuple[str, int] | tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class ResolverConfiguration:
    """What resolv.conf says."""

    servers: tuple[NameServer, ...] = (NameServer(socket.AF_INET, ("127.0.0.1", 53)),)
    search: tuple[str, ...] = ()
    """The domains that a short name may be in."""
    ndots: int = 1
    """A name with so many dots is asked for as it is first."""
    timeout: int = 5
    """Seconds to wait for the first server, the first time."""
    attempts: int = 2
    """Rounds through the servers."""
    rotate: bool = False
    """Begin with another server each time."""
    edns: bool = False
    """Ask with EDNS always."""
    tcp: bool = False
    """Ask over TCP always."""

    def seconds(self, position: int) -> float:
        """Return how long to wait for the server at *position*, counted from 0."""
        seconds = self.timeout << position
        return max(seconds // len(self.servers) if position else seconds, 1)


class ResolvConf:
    """The file itself, read again when it has changed."""

    def __init__(self, path: str = _PATH) -> None:
        self._path = path
        self._read: tuple[int, int, int] | None = None
        self._configuration = ResolverConfiguration()

    def __call__(self) -> ResolverConfiguration:
        """Return what the file says now."""
        try:
            status = os.stat(self._path)
            read = (status.st_mtime_ns, status.st_ino, status.st_size)
        except OSError:
            read = (0, 0, 0)
        if read != self._read:
            self._read = read
            self._configuration = read_configuration(self._path)
        return self._configuration


def read_configuration(path: str = _PATH) -> ResolverConfiguration:
    """Return what the file says; a file that can't be read says nothing."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except OSError:
        text = ""
    servers: list[NameServer] = []
    search: tuple[str, ...] | None = None
    options: list[str] = []
    for line in _COMMENT.sub("", text).splitlines():
        words = line.split()
        match words:
            case ["nameserver", address, *_] if len(servers) < _MOST_SERVERS:
                server = _server(address)
                if server is not None:
                    servers.append(server)
            case ["domain", domain, *_]:
                search = (domain,)
            case ["search", *domains] if domains:
                search = tuple(domains)
            case ["options", *more]:
                options += more
    if local := os.environ.get("LOCALDOMAIN"):
        search = tuple(local.split())
    options += os.environ.get("RES_OPTIONS", "").split()
    if search is None:
        domain = socket.gethostname().partition(".")[2]
        search = (domain,) if domain else ()
    return ResolverConfiguration(
        tuple(servers) or ResolverConfiguration().servers,
        tuple(domain.rstrip(".") for domain in search if domain != "."),
        ndots=_number(options, "ndots", 1, _MOST_NDOTS, least=0),
        timeout=_number(options, "timeout", 5, _MOST_TIMEOUT),
        attempts=_number(options, "attempts", 2, _MOST_ATTEMPTS),
        rotate="rotate" in options,
        edns="edns0" in options,
        tcp="use-vc" in options,
    )


def _server(text: str) -> NameServer | None:
    found = _SCOPED.fullmatch(text)
    if found is None:
        return None
    address, scope = found["address"], found["scope"] or ""
    if ":" not in address:
        try:
            socket.inet_pton(socket.AF_INET, address)
        except OSError:
            return None
        return NameServer(socket.AF_INET, (address, 53))
    try:
        socket.inet_pton(socket.AF_INET6, address)
        interface = int(scope) if scope.isdigit() else socket.if_nametoindex(scope) if scope else 0
    except OSError:
        return None
    return NameServer(socket.AF_INET6, (address, 53, 0, interface))


def _number(options: list[str], name: str, default: int, most: int, *, least: int = 1) -> int:
    """Return the last ``name:n`` of *options*, within limits."""
    value = default
    for option in options:
        key, _, digits = option.partition(":")
        if key == name and digits.isascii() and digits.isdigit():
            value = max(min(int(digits), most), least)
    return value
