from __future__ import annotations

import pytest

from pyfix.formats.attributes import Attributes
from pyfix.protocols.internal import flush


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (flush.Add("x.example", "ABC"), b"request\0add\0site\0x.example\0queue_id\0ABC\0\0"),
        (flush.SendSite("x.example"), b"request\0send_site\0site\0x.example\0\0"),
        (flush.SendFile("ABC"), b"request\0send_file\0queue_id\0ABC\0\0"),
        (flush.Refresh(), b"request\0rfrsh\0\0"), (flush.Purge(), b"request\0purge\0\0"),
        (flush.StatusReply(flush.OK), b"status\x000\0\0"), (flush.StatusReply(flush.DENIED), b"status\x004\0\0"),
    ],
)  # fmt: skip
def test_messages_as_postfix_sends_them(message: Attributes, wire: bytes) -> None:
    assert message.encode() == wire
    assert type(message).decode(wire) == message
