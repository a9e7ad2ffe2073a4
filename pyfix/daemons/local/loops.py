"""Mail that comes back: the recipients that a message was delivered to before, by its Delivered-To: headers."""

from __future__ import annotations

from pyfix.delivery.report import Delivery
from pyfix.formats.address import external_to_internal
from pyfix.queue.message import ContentDamaged

_FIELD = b"delivered-to:"
_LOOK_AT = 65536


def delivered_before(delivery: Delivery, recipient: str) -> bool:
    """Tell whether *recipient* stands in a Delivered-To: header of the message.

    Damage of the content is for whoever copies it to find; here counts what stands before it.
    """
    offset = delivery.request.offset
    wanted = recipient.lower()
    try:
        if b"elivered-" not in delivery.message.read(offset, _LOOK_AT):
            return False
        for block in delivery.message.content_blocks(offset):
            head, end, _ = block.partition(b"\n\n")
            for line in head.split(b"\n"):
                if line[: len(_FIELD)].lower() == _FIELD:
                    value = line[len(_FIELD) :].lstrip().decode("utf-8", "surrogateescape")
                    if external_to_internal(value).lower() == wanted:
                        return True
            if end:
                return False
    except (ContentDamaged, OSError):
        pass
    return False
