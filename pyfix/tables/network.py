"""Network blocks: ``address/length`` and single addresses of IPv4 and IPv6."""

from __future__ import annotations

import socket
from typing import Final


class NetworkError(ValueError):
    """Text that is no network block; it says why in Postfix's words."""


_LARGEST: Final = 2**63 - 1
_NUMBER: Final = 2**32 - 1
"""Lengths are read as a C program with numbers of 32 bits reads them."""

Block = tuple[int, int, int]
"""Size of the address in bytes, mask, and the address under the mask, as numbers."""


def packed_address(text: str) -> bytes | None:
    """Return the 4 or 16 bytes of an IP address in text form, None when it is none."""
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return None


def parse_network(text: str) -> Block:
    """Return the block that *text* names, ``address`` or ``address/length``.  Raises NetworkError."""
    if text.startswith("["):
        # Brackets stand around the whole, or around the address alone.
        address, closed, more = text[1:].partition("]")
        if not closed:
            raise NetworkError(f"missing ']' character after \"{text}\"")
        if more and more[0] != "/":
            raise NetworkError(f'garbage after "[{address}]"')
        text = address + more
        slash, length = more[:1], more[1:]
        if not slash:
            address, slash, length = address.partition("/")
    else:
        address, slash, length = text.partition("/")
    packed = packed_address(address)
    if not slash:
        if packed is None:
            raise NetworkError(f'bad address pattern: "{text}"')
        bits = len(packed) * 8
        return len(packed), (1 << bits) - 1, int.from_bytes(packed)
    if not (length.isascii() and length.isdigit()):
        raise NetworkError(f'bad mask value in "{text}"')
    bits, wanted = 128 if ":" in address else 32, min(int(length), _LARGEST) & _NUMBER
    if wanted > bits:
        raise NetworkError(f'bad mask length in "{text}"')
    if packed is None:
        raise NetworkError(f'bad network value in "{text}"')
    mask = ((1 << wanted) - 1) << (bits - wanted)
    number = int.from_bytes(packed)
    if number & ~mask:
        family = socket.AF_INET6 if bits == 128 else socket.AF_INET
        start = socket.inet_ntop(family, (number & mask).to_bytes(len(packed)))
        raise NetworkError(f'non-null host address bits in "{text}", perhaps you should use "{start}/{wanted}" instead')
    return len(packed), mask, number
