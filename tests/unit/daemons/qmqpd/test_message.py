from __future__ import annotations

import pytest

from pyfix.access.transaction import Client
from pyfix.daemons.qmqpd import message
from pyfix.daemons.qmqpd.packet import Packet

CLIENT = Client("c.example", "192.0.2.1", "99")


@pytest.mark.parametrize(
    ("sender", "found"),
    [
        (b"a@b", (b"a@b", b"")),
        (b"", (b"", b"")),
        (b"list-@b-@[]", (b"list@b", b"-=")),
        (b"list+@b-@[]", (b"list@b", b"+=")),
        (b"list-@[]", (b"list-@[]", b"")),
    ],
)
def test_verp(sender: bytes, found: tuple[bytes, bytes]) -> None:
    assert message.split_verp(sender, "-=+") == found


def test_delimiters_that_are_not_allowed() -> None:
    with pytest.raises(message.BadVerp, match='Error: Invalid VERP delimiters: "!="'):
        message.split_verp(b"list!@b-@[]", "-=+")


def test_records() -> None:
    packet = Packet(b"From x\nSubject: y\n\n" + b"z" * 10, b"a@b", [b"c d@e"])
    start = message.envelope(packet, CLIENT, 5.5, "filter:x", "-=+")
    assert start.startswith(b"T\x085 500000L\x08filter:xS\x03a@b")
    assert start.endswith(b"protocol_name=QMQPR\x05c d@e")
    rest = message.content(packet, CLIENT, "ABC", 5.0, ("us.example", "Postfix"), 4)
    assert b"X-Ma" in rest and rest.endswith(b"L\x04zzzzL\x04zzzzL\x02zzX\0E\0")
    rest = message.content(packet, CLIENT, "ABC", 5.0, ("us.example", "Postfix"), 2048)
    assert b"Received: from c.example (c.example [192.0.2.1])" in rest
    assert b'\tfor <"c d"@e>; Thu, 01 Jan 1970' in rest or b'\tfor <"c d"@e>; Thu,  1 Jan 1970' in rest
    assert b"X-Mailbox-Line: From x" in rest
