"""Deliveries of forwarded mail: recipients whose mail needs a rewritten sender get a transaction of their own."""

from __future__ import annotations

from collections.abc import Sequence

from pyfix.delivery.report import Delivery
from pyfix.protocols.internal.delivery import STATUS_FINAL, DeliveryReply, Recipient
from pyfix.rewriting.forwarded import Forwarded

__all__ = ["by_sender", "joined"]


async def by_sender(delivery: Delivery, forwarded: Forwarded) -> list[tuple[str, list[Recipient]]]:
    """Return the recipients of a request by the sender with which their mail goes out.  Raises TableError."""
    sender = delivery.request.sender
    found: dict[str, list[Recipient]] = {}
    for recipient in delivery.recipients:
        new = await forwarded.sender(sender, recipient.recipient, recipient.original_recipient)
        found.setdefault(new, []).append(recipient)
    return list(found.items())


def joined(replies: Sequence[DeliveryReply | None]) -> DeliveryReply | None:
    """Return one answer for several: None when all recipients are finished."""
    left = [reply for reply in replies if reply is not None]
    # A destination out of order is what qmgr has to hear of first.
    left.sort(key=lambda reply: (not reply.dsn_status, reply.status == STATUS_FINAL))
    return left[0] if left else None
