"""Two values may have one name: label and property stand twice, and the position tells which is which."""

from __future__ import annotations

import pytest

from pyfix.formats.attributes import Attributes
from pyfix.protocols.internal import scache


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (scache.SaveEndpoint(5, "l", "p"), b"request\0save_endp\0ttl\x005\0label\0l\0property\0p\0\0"),
        (scache.FindEndpoint("l"), b"request\0find_endp\0label\0l\0\0"),
        (scache.SaveDestination(5, "d", "p", "l"), b"request\0save_dest\0ttl\x005\0label\0d\0property\0p\0label\0l\0\0"),
        (scache.FindDestination("d"), b"request\0find_dest\0label\0d\0\0"),
        (scache.Status(scache.FAILED), b"status\x002\0\0"), (scache.FoundEndpoint(0, "p"), b"status\x000\0property\0p\0\0"),
        (scache.FoundDestination(0, "p", "q"), b"status\x000\0property\0p\0property\0q\0\0"),
        (scache.Ready(), b"dummy\0\0\0"),
    ],
)  # fmt: skip
def test_messages_as_postfix_sends_them(message: Attributes, wire: bytes) -> None:
    assert message.encode() == wire
    assert type(message).decode(wire) == message
