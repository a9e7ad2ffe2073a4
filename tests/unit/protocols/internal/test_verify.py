from __future__ import annotations

import pytest

from pyfix.formats.attributes import Attributes
from pyfix.protocols.internal import verify


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (verify.Query("a@x"), b"request\0query\0address\0a@x\0\0"),
        (verify.QueryReply(0, verify.RECIPIENT_UNKNOWN, "r"), b"status\x000\0recipient_status\x003\0reason\0r\0\0"),
        (verify.Update("a@x", verify.RECIPIENT_BOUNCED, "r"), b"request\0update\0address\0a@x\0recipient_status\x002\0reason\0r\0\0"),
        (verify.StatusReply(verify.BAD), b"status\x004294967294\0\0"),
    ],
)
def test_messages_as_postfix_sends_them(message: Attributes, wire: bytes) -> None:
    assert message.encode() == wire
    assert type(message).decode(wire) == message
