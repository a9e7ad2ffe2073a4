"""The request that a delivery agent gets for an entry."""

from __future__ import annotations

from pyfix.formats.attributes import Long
from pyfix.protocols.internal.delivery import (
    BOUNCE,
    REQUESTS,
    SUCCESS,
    InternalProtocol,
    MessageStats,
    Recipient,
)
from pyfix.scheduling.message import ActiveMessage, Entry

_USUAL = SUCCESS | BOUNCE


def encode_request(entry: Entry, protocol: InternalProtocol) -> bytes:
    """Return the request's head and recipients as bytes."""
    message, destination, recipients = entry
    sizes = message.sizes
    found = message.attributes.get
    sender = verp_sender(message, recipients[0].recipient) if message.verp else message.sender
    head = REQUESTS[protocol](
        flags=_USUAL | message.flags,
        queue_name="active",
        queue_id=message.queue_id,
        offset=Long(sizes.data_offset),
        size=Long(sizes.content or sizes.segment),
        nexthop=destination.nexthop,
        encoding=found("encoding", ""),
        sendopts=sizes.options,
        sender=sender,
        envelope_id=found("envelope_id", ""),
        ret_flags=return_flags(message),
        time=MessageStats(message.arrival_time, message.active_time).encode(),
        client_name=found("log_client_name") or found("client_name", ""),
        client_address=found("log_client_address") or found("client_address", ""),
        client_port=found("log_client_port") or found("client_port", ""),
        protocol_name=found("log_protocol_name") or found("protocol_name", ""),
        helo_name=found("log_helo_name") or found("helo_name", ""),
        sasl_method=found("sasl_method", ""),
        sasl_username=found("sasl_username", ""),
        sasl_sender=found("sasl_sender", ""),
        log_ident=found("log_ident", ""),
        rewrite_context=found("rewrite_context", "local"),
        recipient_count=len(recipients),
    ).encode()
    return head + b"".join(
        [
            Recipient(
                recipient.original_recipient,
                recipient.recipient,
                Long(recipient.offset),
                recipient.dsn_orig_rcpt,
                recipient.notify_flags,
            ).encode()
            for recipient in recipients
        ]
    )


def return_flags(message: ActiveMessage) -> int:
    """Return what the sender wants to get back with a notice (RFC 3461 RET)."""
    value = message.attributes.get("ret_flags", "")
    return int(value) if value.isdecimal() else 0


def verp_sender(message: ActiveMessage, recipient: str) -> str:
    """Return the sender address that names a recipient.

    With the delimiters ``+=``, ``owner@ours`` and ``user@there`` give ``owner+user=there@ours``.  Source: VERP_README.
    """
    first, second = message.verp[0], message.verp[1]
    localpart, at, domain = message.sender.rpartition("@")
    user, _, host = recipient.rpartition("@")
    return f"{localpart}{first}{user}{second}{host}{at}{domain}"
