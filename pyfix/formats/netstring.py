"""Netstrings: ``length:bytes,``.

Source: https://cr.yp.to/proto/netstrings.txt.
"""

from __future__ import annotations


class NetstringError(ValueError):
    """Bytes that begin no netstring."""


class NetstringTooLong(NetstringError):
    """A netstring that is longer than its reader takes."""


def encode(data: bytes) -> bytes:
    """Return *data* as a netstring."""
    return b"%d:%b," % (len(data), data)


def decode(buffer: bytes, limit: int) -> tuple[bytes, bytes] | None:
    """Return the first string in *buffer* and what follows it; None when more bytes are needed.

    *limit*: bytes of the longest string that is taken.  No digits are a length of zero, and zeros
    may come before a length, as in Postfix.
    Raises NetstringError.
    """
    digits, colon, rest = buffer.partition(b":")
    if digits and not digits.isdigit():
        raise NetstringError("input format error")
    if digits.isdigit() and (len(digits) > 20 or int(digits) > limit):
        raise NetstringTooLong("input exceeds size limit")
    if not colon:
        return None
    length = int(digits or b"0")
    if len(rest) <= length:
        return None
    if rest[length : length + 1] != b",":
        raise NetstringError("input format error")
    return rest[:length], rest[length + 1 :]
