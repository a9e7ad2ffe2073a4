"""Where services listen: Internet addresses, and sockets and FIFOs below queue_directory.

Source: master(5) service name and type; postconf(5) inet_interfaces, inet_protocols, known_tcp_ports.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from pyfix.config.errors import ConfigError
from pyfix.config.master_cf import ServiceEntry
from pyfix.config.own_networks import address_families, own_addresses
from pyfix.config.parameter import split_words
from pyfix.config.snapshot import Snapshot
from pyfix.formats.domain import is_hostaddr, is_hostname
from pyfix.formats.hostport import split_host_port
from pyfix.runtime.identity import Owner, is_rootless
from pyfix.runtime.outgoing import set_window

_FIRST_FREE_PORT = 1024
_PORT_MASK = 0xFFFF
_INT_MASK = 0xFFFFFFFF
_MOST = 0xFFFFFFFFFFFFFFFF
_MOST_DIGITS = 20
_SOCKET_MODE = 0o666
_FIFO_MODE = 0o622


@dataclass(frozen=True, slots=True)
class Address:
    """An Internet address and port to listen on."""

    host: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        """AF_INET or AF_INET6."""
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    @property
    def loopback(self) -> bool:
        """Whether only this host can reach it."""
        return self.host == "::1" or self.host.startswith("127.")


class Interfaces:
    """What inet_interfaces named when master started; it stays so until master ends.

    Source: postconf(5) inet_interfaces.
    """

    __slots__ = ("_addresses", "value")

    def __init__(self, snapshot: Snapshot) -> None:
        """Find the addresses.  Raises ConfigError when there is none for a name, or it is not ours."""
        self.value = snapshot.value("inet_interfaces")
        self._addresses = None if self.all else tuple(own.address for own in own_addresses(snapshot))

    @property
    def all(self) -> bool:
        """Whether a service listens on each interface, those that come later too."""
        return "all" in (word.lower() for word in split_words(self.value))

    @property
    def addresses(self) -> tuple[str, ...]:
        """The single addresses."""
        return self._addresses or ()


# Addresses


def inet_addresses(entry: ServiceEntry, snapshot: Snapshot, interfaces: Interfaces, where: str) -> tuple[Address, ...]:
    """Return what an inet service listens on; *where* is file and line, for complaints.

    Without a host in its name these are all addresses of *interfaces*.  Raises ConfigError.
    """
    host, port = _checked_host_port(entry.name, where)
    families = _families(snapshot)
    if host:
        return _resolved(host, _known_port(port, snapshot), families, entry.name, where)
    if not split_words(interfaces.value):
        raise ConfigError(
            f"{where}: service definition requires valid host name or address, or non-empty inet_interfaces setting"
        )
    port = _known_port(port, snapshot)
    if interfaces.all:
        number = _port_number(port, entry.name)
        return tuple(Address("::" if family is socket.AF_INET6 else "0.0.0.0", number) for family in families)
    return tuple(Address(own, _port_number(port, f"{own}:{port}")) for own in interfaces.addresses)


def _families(snapshot: Snapshot) -> tuple[socket.AddressFamily, ...]:
    ipv4, ipv6 = address_families(snapshot)
    return (socket.AF_INET,) * ipv4 + (socket.AF_INET6,) * ipv6


def _checked_host_port(name: str, where: str) -> tuple[str, str]:
    """Return host (empty when there is none) and port of ``host:port``, ``[host]:port`` or ``port``."""
    try:
        host, port = split_host_port(name)
    except ValueError as problem:
        raise ConfigError(f'{where}: {problem} in "{name}"') from None
    if (host or name.startswith("[")) and not (is_hostaddr(host) or is_hostname(host) or host == "0.0.0.0"):
        raise ConfigError(f'{where}: valid hostname or network address required in "{name}"')
    return host, port


def _known_port(port: str, snapshot: Snapshot) -> str:
    """Return the number that known_tcp_ports has for a service name, else the name."""
    for words in snapshot.value("known_tcp_ports").split(","):
        *names, number = words.strip().split("=")
        if port in (name.strip() for name in names):
            return number.strip()
    return port


def _port_number(port: str, name: str) -> int:
    """Return what getaddrinfo(3) makes of a port: of a large number the last bits, of a negative one nothing."""
    if port.isascii() and port.isdecimal():
        digits = port.lstrip("0") or "0"
        number = min(int(digits), _MOST) if len(digits) <= _MOST_DIGITS else _MOST
        if number & _INT_MASK <= _INT_MASK >> 1:
            return number & _PORT_MASK
    try:
        return socket.getservbyname(port, "tcp")
    except OSError:
        raise ConfigError(f"{name}: Servname not supported for ai_socktype") from None


def _resolved(
    host: str, port: str, families: Sequence[socket.AddressFamily], name: str, where: str
) -> tuple[Address, ...]:
    number = _port_number(port, name)
    try:
        answers = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ConfigError(f"{where}: bad hostname or network address: {name}") from None
    found = dict.fromkeys(str(answer[4][0]) for answer in answers if answer[0] in families)
    if not found:
        raise ConfigError(f"{where}: bad hostname or network address: {name}")
    return tuple(Address(text, number) for text in found)


# Listening


def listen_inet(address: Address, backlog: int, window: int = 0) -> int:
    """Return a socket that listens.  *window*: tcp_windowsize.  Raises ConfigError."""
    with socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if address.family is socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            listener.bind((address.host, address.port))
        except PermissionError as error:
            advice = " (without root, a port must be above 1023)" if _is_privileged(address.port) else ""
            raise ConfigError(
                f"bind {address.host} port {address.port}: {os.strerror(error.errno or 0)}{advice}"
            ) from error
        except OSError as error:
            raise ConfigError(f"bind {address.host} port {address.port}: {os.strerror(error.errno or 0)}") from error
        set_window(listener, window)
        listener.listen(backlog)
        return listener.detach()


def _is_privileged(port: int) -> bool:
    return is_rootless() and port < _FIRST_FREE_PORT


def listen_unix(path: str, owner: Owner, backlog: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a listening socket at *path*, which becomes *owner*'s.  Raises ConfigError."""
    with owner.rights(), socket.socket(socket.AF_UNIX, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as listener:
        try:
            _remove(path)
            listener.bind(path)
            os.chmod(path, _SOCKET_MODE)
        except OSError as error:
            raise ConfigError(f"bind: {path}: {os.strerror(error.errno or 0)}") from error
        if kind is socket.SOCK_STREAM:
            listener.listen(backlog)
        return listener.detach()


def listen_fifo(path: str, owner: Owner) -> int:
    """Return a FIFO at *path*, open for reading and writing so that it never ends.  Raises ConfigError."""
    with owner.rights():
        try:
            try:
                os.mkfifo(path, _FIFO_MODE)
            except FileExistsError:
                _remove(path)
                os.mkfifo(path, _FIFO_MODE)
            os.chmod(path, _FIFO_MODE)
            return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise ConfigError(f"open fifo: {path}: {os.strerror(error.errno or 0)}") from error


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
