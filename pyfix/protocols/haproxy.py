"""What a load balancer says before the client's first byte: the PROXY protocol, versions 1 and 2.

The header must come in one piece, as those who send it do.  Source: haproxy's proxy-protocol.txt; postconf(5)
smtpd_upstream_proxy_protocol; the reasons are Postfix's words for bad headers.
"""

from __future__ import annotations

import re
import socket
import struct
from typing import Final, NamedTuple

from pyfix.formats.domain import is_ipv4

__all__ = ["LARGEST", "Endpoints", "Header", "ProxyHeaderError", "parse_header"]

LARGEST: Final = 536
"""Bytes of a header that are looked at: what any network carries in one packet."""
_TEXT: Final = b"PROXY "
_SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED: Final = 16
_VERSION: Final = 2
_LOCAL, _PROXY = 0, 1
_TCP4, _TCP6 = 0x11, 0x21
_BLANKS: Final = re.compile(r"[ \r]+")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,4}")
_LARGEST_PORT: Final = 65535
_UNSPECIFIED: Final = "0.0.0.0"


class ProxyHeaderError(ValueError):
    """A header that says nothing that we could rely on; the text is the reason."""


class Endpoints(NamedTuple):
    """Who connected to the proxy, and where."""

    client_address: str
    client_port: str
    server_address: str
    server_port: str


class Header(NamedTuple):
    """What a header says."""

    endpoints: Endpoints | None
    """None: the proxy itself is the client, as for a check of our health."""
    size: int
    """Bytes that belong to the header."""


def parse_header(data: bytes, *, ipv4: bool = True, ipv6: bool = True) -> Header:
    """Take apart what came first over a connection; the protocols of the internet that are not in use are not known.

    Raises ProxyHeaderError.
    """
    data = data[:LARGEST]
    if data.startswith(_TEXT):
        return _parse_text(data, ipv4, ipv6)
    if len(data) < _FIXED:
        raise ProxyHeaderError("short protocol header")
    if not data.startswith(_SIGNATURE):
        raise ProxyHeaderError("unrecognized protocol header")
    return _parse_binary(data, ipv4, ipv6)


def _parse_text(data: bytes, ipv4: bool, ipv6: bool) -> Header:
    """Version 1: a line of words."""
    end = data.partition(b"\0")[0].find(b"\n")
    if end < 0:
        raise ProxyHeaderError("missing protocol header terminator")
    words = [word for word in _BLANKS.split(data[len(_TEXT) : end].decode("latin-1")) if word]
    words += [""] * 5
    protocol = words[0].upper()
    if (protocol != "TCP4" or not ipv4) and (protocol != "TCP6" or not ipv6):
        raise ProxyHeaderError("bad or missing protocol type")
    read = _ipv4 if protocol == "TCP4" else _ipv6
    client, server = read(words[1]), read(words[2])
    if not client:
        raise ProxyHeaderError("bad or missing client address")
    if not server:
        raise ProxyHeaderError("bad or missing server address")
    for port, whose in zip(words[3:5], ("client", "server"), strict=True):
        if _NUMBER.fullmatch(port) is None or int(port) > _LARGEST_PORT:
            raise ProxyHeaderError(f"bad or missing {whose} port")
    return Header(Endpoints(client, words[3], server, words[4]), end + 1)


def _ipv4(text: str) -> str:
    """Return an address in its usual form, empty for what is none."""
    if not is_ipv4(text) and text != _UNSPECIFIED:
        return ""
    return ".".join(str(int(octet)) for octet in text.split("."))


def _ipv6(text: str) -> str:
    if ":" not in text:
        return ""
    try:
        return _plain(socket.inet_pton(socket.AF_INET6, text))
    except (OSError, ValueError):
        return ""


def _plain(packed: bytes) -> str:
    """Return an address as text; one that stands for an IPv4 address as that."""
    if len(packed) == 16 and packed.startswith(bytes(10) + b"\xff\xff"):
        packed = packed[12:]
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def _parse_binary(data: bytes, ipv4: bool, ipv6: bool) -> Header:
    """Version 2: fixed fields, addresses, and more that is skipped."""
    command, family, length = data[12], data[13], int.from_bytes(data[14:_FIXED], "big")
    if command >> 4 != _VERSION:
        raise ProxyHeaderError("unrecognized protocol version")
    size = _FIXED + length
    if len(data) < size:
        raise ProxyHeaderError("short version 2 protocol header")
    if command & 0xF == _LOCAL:
        return Header(None, size)
    if command & 0xF != _PROXY:
        raise ProxyHeaderError("bad command in proxy header")
    if family not in (_TCP4, _TCP6):
        raise ProxyHeaderError("unsupported network protocol")
    if not (ipv4 if family == _TCP4 else ipv6):
        raise ProxyHeaderError(f"Postfix IPv{'4' if family == _TCP4 else '6'} support is disabled")
    form = "!4s4sHH" if family == _TCP4 else "!16s16sHH"
    if length < struct.calcsize(form):
        raise ProxyHeaderError("short address field")
    client, server, client_port, server_port = struct.unpack_from(form, data, _FIXED)
    return Header(Endpoints(_plain(client), str(client_port), _plain(server), str(server_port)), size)
