"""Handing a recipient over to another delivery agent.

Source: postconf(5) mailbox_transport, mailbox_transport_maps, fallback_transport, fallback_transport_maps,
best_mx_transport.
"""

from __future__ import annotations

from dataclasses import fields

from pyfix.config.snapshot import Snapshot
from pyfix.delivery.report import Delivery
from pyfix.formats.address import internal_to_external
from pyfix.formats.attributes import AttributeListError
from pyfix.protocols.internal.delivery import (
    PROTOCOL,
    REQUESTS,
    DeliveryReply,
    DeliveryRequest,
    InternalProtocol,
    MessageStats,
    Recipient,
)
from pyfix.runtime.ipc import ServiceError, connect, expect_handshake, receive
from pyfix.runtime.log import log
from pyfix.runtime.stream import StreamClosed, StreamTimeout

__all__ = ["pass_on", "protocol_of"]

_FIELDS = [field.name for field in fields(DeliveryRequest)]


def protocol_of(snapshot: Snapshot) -> InternalProtocol:
    """Return the form of requests that other agents read.  Source: pyfix_internal_protocol."""
    return "3.7" if snapshot.raw("pyfix_internal_protocol") == "3.7" else "3.11"


async def pass_on(
    transport: str, delivery: Delivery, recipient: Recipient, timeout: float, internal_protocol: InternalProtocol
) -> DeliveryReply:
    """Let the agent of ``transport:nexthop`` deliver, who logs and reports the outcome; return its answer.

    Without a nexthop the agent gets the request's.  Raises ServiceError.
    """
    request = delivery.request
    name, _, nexthop = transport.partition(":")
    path = f"private/{name}"
    log.info(f"{request.queue_id}: passing <{internal_to_external(recipient.recipient)}> to transport={name}")
    values = {field: getattr(request, field) for field in _FIELDS}
    values |= {
        "nexthop": nexthop or request.nexthop,
        "time": MessageStats(delivery.arrival_time, delivery.active_time, delivery.handoff_time).encode(),
        "recipient_count": 1,
    }
    stream = await connect(path, timeout)
    try:
        await expect_handshake(stream, PROTOCOL)
        stream.write(REQUESTS[internal_protocol](**values).encode() + recipient.encode())
        return await receive(stream, DeliveryReply)
    except (StreamTimeout, StreamClosed, AttributeListError) as error:
        raise ServiceError(f"{path}: {error}") from error
    finally:
        stream.close()
