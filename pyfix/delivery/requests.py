"""Reading delivery requests of qmgr(8) that come in pieces, and what is wrong with some.

Source: the protocol of pyfix.protocols.internal.delivery.
"""

from __future__ import annotations

from pyfix.formats.queueid import is_valid
from pyfix.protocols.internal.delivery import DeliveryRequest, Recipient, decode_recipients, decode_request
from pyfix.runtime.stream import Stream

_Request = tuple[DeliveryRequest, list[Recipient], bytes]


def problem_of(request: DeliveryRequest, recipients: list[Recipient]) -> str:
    """Return what to log of a request that can't be served, "" for a good one."""
    if not request.nexthop:
        return "empty nexthop hostname"
    if request.queue_name not in ("active", "incoming", "deferred"):
        return f"bad queue name: {request.queue_name}"
    if not is_valid(request.queue_id):
        return f"bad queue id: {request.queue_id}"
    if not recipients:
        return f"{request.queue_id}: no recipients in delivery request for destination {request.nexthop}"
    return ""


async def receive_request(stream: Stream, data: bytes) -> _Request | None:
    """Read the rest of a request whose first bytes are *data*; return it with what has come after it.

    None when the client leaves instead.
    """
    head = decode_request(data) if data else None
    while head is None:
        more = await stream.read()
        if not more:
            return None
        data += more
        head = decode_request(data)
    request, start = head
    recipients: list[Recipient] = []
    while True:
        found, end = decode_recipients(data, start, request.recipient_count - len(recipients))
        recipients += found
        if len(recipients) >= request.recipient_count:
            return request, recipients, data[end:]
        data, start = data[end:], 0
        more = await stream.read()
        if not more:
            return None
        data += more
