from __future__ import annotations

import pytest

from pyfix.formats.attributes import Attributes
from pyfix.protocols.internal import proxymap


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (proxymap.Open("hash:/x", 64), b"request\0open\0table\0hash:/x\0instance_flags\x0064\0\0"),
        (proxymap.Lookup("hash:/x", 64, 1, "k"), b"request\0lookup\0table\0hash:/x\0instance_flags\x0064\0flags\x001\0key\0k\0\0"),
        (proxymap.Update("hash:/x", 64, 1, "k", "v"),
         b"request\0update\0table\0hash:/x\0instance_flags\x0064\0flags\x001\0key\0k\0value\0v\0\0"),
        (proxymap.Delete("hash:/x", 64, 1, "k"), b"request\0delete\0table\0hash:/x\0instance_flags\x0064\0flags\x001\0key\0k\0\0"),
        (proxymap.Sequence("hash:/x", 64, 1, 0),
         b"request\0sequence\0table\0hash:/x\0instance_flags\x0064\0flags\x001\0function\x000\0\0"),
        (proxymap.TableStatus(0, 64), b"status\x000\0flags\x0064\0\0"),
        (proxymap.Found(proxymap.NO_KEY, 64, ""), b"status\x001\0flags\x0064\0value\0\0\0"),
        (proxymap.NextEntry(0, 64, "k", "v"), b"status\x000\0flags\x0064\0key\0k\0value\0v\0\0"),
        (proxymap.StatusReply(proxymap.BAD), b"status\x003\0\0"),
    ],
)  # fmt: skip
def test_messages_as_postfix_sends_them(message: Attributes, wire: bytes) -> None:
    assert message.encode() == wire
    assert type(message).decode(wire) == message
