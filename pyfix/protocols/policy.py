"""The protocol of policy services: lines ``name=value`` and an empty one, in both directions.

Source: SMTPD_POLICY_README.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["MOST_BYTES", "ReplyFault", "encode_request", "parse_reply"]

MOST_BYTES: Final = 1 << 20
"""A reply that is longer is nonsense."""


class ReplyFault(Exception):
    """A reply that no policy service gives; the text says what is wrong, with ``{server}`` for its name."""


def encode_request(pairs: Iterable[tuple[str, object]]) -> bytes:
    """Return a request as it is sent."""
    return "".join([*(f"{name}={value}\n" for name, value in pairs), "\n"]).encode("utf-8", "surrogateescape")


def parse_reply(data: bytes) -> str | None:
    """Return the action of a reply, None while it is not complete.  Other attributes do not count.

    Raises ReplyFault.
    """
    if data.startswith(b"\n"):
        raise ReplyFault("missing attribute action in input from {server}")
    end = data.find(b"\n\n")
    if end < 0:
        if len(data) > MOST_BYTES:
            raise ReplyFault("reply from {server} is too long")
        return None
    for line in data[:end].split(b"\n"):
        name, equals, value = line.partition(b"=")
        if name == b"action":
            if not equals:
                raise ReplyFault("missing value for string attribute action from {server}")
            return value.decode("utf-8", "surrogateescape")
    raise ReplyFault("missing attribute action in input from {server}")


def cut_off(data: bytes, what: str = "premature end-of-input on") -> str:
    """Return what to say of a reply that ends, or stands still, after *data*; "" when nothing has come."""
    if not data:
        return ""
    _, _, line = data.rpartition(b"\n")
    return f"{what} {{server}} while reading input attribute {'value' if b'=' in line else 'name'}"
