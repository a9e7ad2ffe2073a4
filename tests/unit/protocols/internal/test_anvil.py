"""private/anvil is plain text, unlike the others."""

from __future__ import annotations

import pytest

from pyfix.formats.attributes import Attributes
from pyfix.protocols.internal import anvil


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (anvil.Connect("smtp:1"), b"request=connect\nident=smtp:1\n\n"),
        (anvil.ConnectReply(0, 2, 3), b"status=0\ncount=2\nrate=3\n\n"),
        (anvil.Disconnect("smtp:1"), b"request=disconnect\nident=smtp:1\n\n"),
        (anvil.StatusReply(anvil.OK), b"status=0\n\n"),
        (anvil.Event("message", "smtp:1"), b"request=message\nident=smtp:1\n\n"),
        (anvil.CountReply(0, 7), b"status=0\nrate=7\n\n"),
        (anvil.Lookup("smtp:1"), b"request=lookup\nident=smtp:1\n\n"),
        (anvil.LookupReply(0, 1, 2, 3, 4, 5, 6), b"status=0\ncount=1\nrate=2\nmail=3\nrcpt=4\nnewtls=5\nauth=6\n\n"),
    ],
)
def test_messages_as_postfix_sends_them(message: Attributes, wire: bytes) -> None:
    assert message.encode() == wire
    assert type(message).decode(wire) == message
