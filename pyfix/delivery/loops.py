"""Mail that comes back: the recipients that a message was delivered to before, by its Delivered-To: headers."""

from __future__ import annotations

from pyfix.delivery.report import Delivery
from pyfix.formats.address import external_to_internal
from pyfix.queue.message import ContentDamaged

_FIELD = b"delivered-to:"
_LOOK_AT = 65536


def delivered_before(delivery: Delivery, recipient: str) -> bool:
    """Tell whether *recipient* stands in a Delivered-To: header of the message."""
    return recipient.lower() in delivered_addresses(delivery)


def delivered_addresses(delivery: Delivery) -> frozenset[str]:
    """Return the addresses, in lower case, that stand in Delivered-To: headers of the message.

    Damage of the content is for whoever copies it to find; here counts what stands before it.
    """
    offset = delivery.request.offset
    found: set[str] = set()
    try:
        if b"elivered-" not in delivery.message.read(offset, _LOOK_AT):
            return frozenset()
        for block in delivery.message.content_blocks(offset):
            head, end, _ = block.partition(b"\n\n")
            for line in head.split(b"\n"):
                if line[: len(_FIELD)].lower() == _FIELD:
                    value = line[len(_FIELD) :].lstrip().decode("utf-8", "surrogateescape")
                    found.add(external_to_internal(value).lower())
            if end:
                break
    except (ContentDamaged, OSError):
        pass
    return frozenset(found)
