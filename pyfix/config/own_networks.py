"""The host's network addresses: inet_interfaces, proxy_interfaces and the default of mynetworks.

Source: postconf(5) inet_interfaces, proxy_interfaces, inet_protocols, mynetworks_style.
"""

from __future__ import annotations

import socket
import struct

from pyfix.config.errors import ConfigError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfix.config.snapshot import Snapshot

__all__ = ["OwnAddress", "address_families", "check_interfaces", "default_networks", "own_addresses", "proxy_addresses"]

_ALWAYS_THERE = ("", "all", "loopback-only")
"""Values of inet_interfaces that hold on every host."""
_STYLES = ("host", "subnet", "class")
_NETLINK_ROUTE = 0
_GET_ADDRESSES, _NEW_ADDRESS, _DONE = 22, 20, 3
_REQUEST_DUMP = 0x301
_ATTRIBUTE_ADDRESS, _ATTRIBUTE_LOCAL = 1, 2
_INTERFACE_UP = 1


class OwnAddress:
    """An address of one of our interfaces, with the length of its network prefix."""

    __slots__ = ("address", "prefix")

    def __init__(self, address: str, prefix: int) -> None:
        self.address = address
        self.prefix = prefix

    @property
    def packed(self) -> bytes:
        """The address in network form, 4 or 16 bytes."""
        return socket.inet_pton(socket.AF_INET6 if ":" in self.address else socket.AF_INET, self.address)

    @property
    def loopback(self) -> bool:
        """Whether only this host can reach the address."""
        return self.address == "::1" or self.address.startswith("127.")

    def network(self, prefix: int) -> str:
        """Return ``address/prefix`` of the network that the first *prefix* bits name; IPv6 in brackets."""
        packed = self.packed
        width = len(packed) * 8
        masked = int.from_bytes(packed, "big") >> (width - prefix) << (width - prefix)
        family = socket.AF_INET if width == 32 else socket.AF_INET6
        text = socket.inet_ntop(family, masked.to_bytes(width // 8, "big"))
        return f"{text}/{prefix}" if width == 32 else f"[{text}]/{prefix}"


def _words(value: str) -> list[str]:
    """Split at commas and blanks; braces mean nothing here."""
    return value.replace(",", " ").split()


def address_families(snapshot: Snapshot) -> tuple[bool, bool]:
    """Return whether inet_protocols enables IPv4 and IPv6.  Raises ConfigError for an unknown word."""
    value = snapshot.value("inet_protocols")
    ipv4 = ipv6 = False
    for word in _words(value):
        match word.lower():
            case "all":
                ipv4 = ipv6 = True
            case "ipv4":
                ipv4 = True
            case "ipv6":
                ipv6 = True
            case _:
                raise ConfigError(f'unknown inet_protocols value "{word}" in "{value}"')
    return ipv4, ipv6


def own_addresses(snapshot: Snapshot) -> tuple[OwnAddress, ...]:
    """Return the addresses on which inet_interfaces lets us receive mail.

    Raises ConfigError when a name can't be found or is not ours.
    """
    local = _enabled(snapshot, _interface_addresses())
    value = snapshot.value("inet_interfaces")
    words = _words(value)
    if not words or value.lower() == "all":
        return local
    if value.lower() == "loopback-only":
        return tuple(own for own in local if own.loopback)
    found: dict[str, OwnAddress] = {}
    for address in [address for word in words for address in _resolve(snapshot, "inet_interfaces", word)]:
        own = next((own for own in local if own.address == address), None)
        if own is None:
            raise ConfigError(f"parameter inet_interfaces: no local interface found for {address}")
        found[address] = own
    return tuple(found.values())


def check_interfaces(snapshot: Snapshot) -> None:
    """Look for what inet_interfaces names: no daemon runs when one is not ours, whether it uses them or not.

    Raises ConfigError.  Source: postconf(5) inet_interfaces.
    """
    if snapshot.value("inet_interfaces").strip().lower() not in _ALWAYS_THERE:
        own_addresses(snapshot)


def proxy_addresses(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the addresses on which a proxy or translator receives mail for us.  Raises ConfigError."""
    return tuple(
        dict.fromkeys(
            address
            for word in _words(snapshot.value("proxy_interfaces"))
            for address in _resolve(snapshot, "proxy_interfaces", word)
        )
    )


def default_networks(snapshot: Snapshot) -> str:
    """Return the default of mynetworks: our addresses, their networks or their classes, as mynetworks_style says.

    Raises ConfigError for an unknown style.
    """
    value = snapshot.value("mynetworks_style")
    style = value.strip().lower()
    if style not in _STYLES:
        raise ConfigError(f'unknown mynetworks mask style value "{value}" in "{value}"')
    networks: dict[str, None] = {}
    for own in own_addresses(snapshot):
        width = 128 if ":" in own.address else 32
        if style == "host":
            prefix = width
        elif style == "class" and width == 32:
            prefix = _class_prefix(own.packed[0])
        else:
            prefix = own.prefix
        networks[own.network(prefix)] = None
    return " ".join(networks)


def _class_prefix(first_byte: int) -> int:
    if first_byte < 128:
        return 8
    if first_byte < 192:
        return 16
    return 24 if first_byte < 224 else 32


def _enabled(snapshot: Snapshot, addresses: Iterator[OwnAddress]) -> tuple[OwnAddress, ...]:
    ipv4, ipv6 = address_families(snapshot)
    return tuple(own for own in addresses if (ipv6 if ":" in own.address else ipv4))


def _resolve(snapshot: Snapshot, parameter: str, word: str) -> tuple[str, ...]:
    name = word.removeprefix("[").removesuffix("]")
    ipv4, ipv6 = address_families(snapshot)
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ConfigError(f"config variable {parameter}: host not found: {word}") from None
    wanted = {socket.AF_INET: ipv4, socket.AF_INET6: ipv6}
    found = dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in answers if wanted.get(answer[0]))
    if not found:
        raise ConfigError(f"config variable {parameter}: host not found: {word}")
    return tuple(found)


def _interface_addresses() -> Iterator[OwnAddress]:
    """Ask the kernel for the addresses of the interfaces that are up, IPv4 first (rtnetlink(7), RTM_GETADDR)."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE) as kernel:
        kernel.bind((0, 0))
        for family in (socket.AF_INET, socket.AF_INET6):
            kernel.send(struct.pack("=IHHIIB3x", 20, _GET_ADDRESSES, _REQUEST_DUMP, 1, 0, family))
            yield from _dumped(kernel)


def _dumped(kernel: socket.socket) -> Iterator[OwnAddress]:
    while True:
        data = kernel.recv(65536)
        offset = 0
        while offset + 16 <= len(data):
            length, kind = struct.unpack_from("=IH", data, offset)
            if kind != _NEW_ADDRESS:
                return
            family, prefix = struct.unpack_from("=BB", data, offset + 16)
            (index,) = struct.unpack_from("=I", data, offset + 20)
            own = _address(data[offset + 24 : offset + length], family, prefix)
            if own is not None and _is_up(index):
                yield own
            offset += (length + 3) & ~3


def _address(attributes: bytes, family: int, prefix: int) -> OwnAddress | None:
    packed: dict[int, bytes] = {}
    offset = 0
    while offset + 4 <= len(attributes):
        length, kind = struct.unpack_from("=HH", attributes, offset)
        if length < 4:
            break
        packed[kind] = attributes[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    found = packed.get(_ATTRIBUTE_LOCAL) or packed.get(_ATTRIBUTE_ADDRESS)
    return None if found is None else OwnAddress(socket.inet_ntop(family, found), prefix)


def _is_up(index: int) -> bool:
    try:
        with open(f"/sys/class/net/{socket.if_indextoname(index)}/flags", encoding="ascii") as flags:
            return bool(int(flags.read(), 16) & _INTERFACE_UP)
    except OSError:
        return True  # no sysfs here: the kernel listed it, so use it
