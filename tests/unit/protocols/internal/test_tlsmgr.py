from __future__ import annotations

import pytest

from pyfix.formats.attributes import Attributes
from pyfix.protocols.internal import tlsmgr


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (tlsmgr.SeedRequest(32), b"request\0seed\0size\x0032\0\0"), (tlsmgr.SeedReply(0, b"\0x"), b"status\x000\0seed\0AHg=\0\0"),
        (tlsmgr.PolicyRequest("smtpd"), b"request\0policy\0cache_type\0smtpd\0\0"),
        (tlsmgr.PolicyReply(0, 1, 60), b"status\x000\0cachable\x001\0timeout\x0060\0\0"),
        (tlsmgr.LookupRequest("smtpd", "id"), b"request\0lookup\0cache_type\0smtpd\0cache_id\0id\0\0"),
        (tlsmgr.LookupReply(tlsmgr.ERROR, b""), b"status\x004294967295\0session\0\0\0"),
        (tlsmgr.UpdateRequest("smtpd", "id", b"\0"), b"request\0update\0cache_type\0smtpd\0cache_id\0id\0session\0AA==\0\0"),
        (tlsmgr.DeleteRequest("smtpd", "id"), b"request\0delete\0cache_type\0smtpd\0cache_id\0id\0\0"),
        (tlsmgr.StatusReply(tlsmgr.FAILED), b"status\x004294967294\0\0"),
        (tlsmgr.TicketKeyRequest(b""), b"request\0tktkey\0keyname\0\0\0"), (tlsmgr.TicketKeyReply(0, b"k"), b"status\x000\0keybuf\0aw==\0\0"),
    ],
)  # fmt: skip
def test_messages_as_postfix_sends_them(message: Attributes, wire: bytes) -> None:
    assert message.encode() == wire
    assert type(message).decode(wire) == message
