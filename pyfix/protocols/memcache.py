"""Requests and replies of memcached's text protocol, as far as lookup tables need them: get, set, delete.

Source: memcached's protocol.txt; memcache_table(5).
"""

from __future__ import annotations

import re

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final

END: Final = b"END"
STORED: Final = b"STORED"
DELETED: Final = b"DELETED"
NOT_FOUND: Final = b"NOT_FOUND"

_VALUE: Final = re.compile(rb"VALUE \S+ \d+ (\d+)(?: \d+)?")


def get_request(key: bytes) -> bytes:
    """Return the request for the value of *key*, which has no blanks."""
    return b"get " + key + b"\r\n"


def set_request(key: bytes, value: bytes, flags: int, ttl: int) -> bytes:
    """Return the request to store *value* for *ttl* seconds."""
    return b"set %b %d %d %d\r\n%b\r\n" % (key, flags, ttl, len(value), value)


def delete_request(key: bytes) -> bytes:
    """Return the request to forget *key*."""
    return b"delete " + key + b"\r\n"


def value_size(line: bytes) -> int | None:
    """Return how many bytes of a value follow *line*; None when it announces no value."""
    match = _VALUE.fullmatch(line)
    return int(match[1]) if match else None
