"""Questions and answers of socketmap_table(5): ``NAME KEY``, and ``OK VALUE`` or what went wrong, as netstrings."""

from __future__ import annotations

from pyfix.formats.netstring import encode

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final

ERRORS: Final = {b"TEMP": "temporary", b"TIMEOUT": "timeout", b"PERM": "permanent"}
"""Status -> how Postfix calls it; any other that is neither OK nor NOTFOUND is "unknown"."""


def question(name: bytes, key: bytes) -> bytes:
    """Return the request for *key* in the map *name*."""
    return encode(name + b" " + key)


def parse_reply(reply: bytes) -> tuple[bytes, bytes]:
    """Return the status of a reply and the text behind it."""
    status, _, text = reply.partition(b" ")
    return status, text
