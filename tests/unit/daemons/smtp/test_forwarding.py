from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from pyfix.daemons.smtp.forwarding import by_sender, joined
from pyfix.formats.attributes import Long
from pyfix.protocols.internal.delivery import STATUS_DEFER, DeliveryReply, Recipient


class _Forwarded:
    async def sender(self, sender: str, recipient: str, original: str) -> str:
        return f"new+{sender}" if original != recipient else sender


def _recipient(address: str, original: str = "") -> Recipient:
    return Recipient(
        original_recipient=original or address, recipient=address, offset=Long(1), dsn_orig_rcpt="", notify_flags=0
    )


def test_recipients_by_sender() -> None:
    recipients = [_recipient("a@x"), _recipient("b@x", "c@y"), _recipient("d@x")]
    delivery: Any = SimpleNamespace(request=SimpleNamespace(sender="s@z"), recipients=recipients)
    forwarded: Any = _Forwarded()
    found = asyncio.run(by_sender(delivery, forwarded))
    assert found == [("s@z", [recipients[0], recipients[2]]), ("new+s@z", [recipients[1]])]


def test_answers_are_joined() -> None:
    left, out_of_order = DeliveryReply(status=STATUS_DEFER), DeliveryReply(dsn_status="4.4.1", status=STATUS_DEFER)
    assert joined([None, None]) is None
    assert joined([None, left]) is left
    assert joined([left, out_of_order]) is out_of_order
