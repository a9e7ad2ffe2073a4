"""The request that a delivery agent gets for an entry."""

from __future__ import annotations

from base64 import b64encode
from typing import Final

from pyfix.formats.number import whole_number
from pyfix.protocols.internal.delivery import BOUNCE, SUCCESS, InternalProtocol, MessageStats
from pyfix.scheduling.message import ActiveMessage, Entry

_USUAL: Final = SUCCESS | BOUNCE
_OPTIONS_NAME: Final[dict[InternalProtocol, str]] = {"3.11": "sendopts", "3.7": "smtputf8"}
_MASK: Final = 0xFFFFFFFF


def encode_request(entry: Entry, protocol: InternalProtocol) -> bytes:
    """Return the lists of DeliveryRequest and its recipients as bytes.

    Written out here, because each delivery passes; a test holds it against the message classes.
    """
    message, destination, recipients = entry
    sizes = message.sizes
    found = message.attributes.get
    sender = verp_sender(message, recipients[0].recipient) if message.verp else message.sender
    stats = b64encode(MessageStats(message.arrival_time, message.active_time).encode()).decode("ascii")
    text = (
        f"flags\0{_USUAL | message.flags}\0queue_name\0active\0queue_id\0{message.queue_id}\0"
        f"offset\0{sizes.data_offset}\0size\0{sizes.content or sizes.segment}\0nexthop\0{destination.nexthop}\0"
        f"encoding\0{found('encoding', '')}\0{_OPTIONS_NAME[protocol]}\0{sizes.options & _MASK}\0sender\0{sender}\0"
        f"envelope_id\0{found('envelope_id', '')}\0ret_flags\0{return_flags(message)}\0time\0{stats}\0"
        f"log_client_name\0{found('log_client_name') or found('client_name', '')}\0"
        f"log_client_address\0{found('log_client_address') or found('client_address', '')}\0"
        f"log_client_port\0{found('log_client_port') or found('client_port', '')}\0"
        f"log_protocol_name\0{found('log_protocol_name') or found('protocol_name', '')}\0"
        f"log_helo_name\0{found('log_helo_name') or found('helo_name', '')}\0"
        f"sasl_method\0{found('sasl_method', '')}\0sasl_username\0{found('sasl_username', '')}\0"
        f"sasl_sender\0{found('sasl_sender', '')}\0log_ident\0{found('log_ident', '')}\0"
        f"rewrite_context\0{found('rewrite_context', 'local')}\0recipient_count\0{len(recipients)}\0\0"
    )
    text += "".join(
        [
            f"original_recipient\0{original}\0recipient\0{recipient}\0offset\0{offset}\0"
            f"dsn_orig_rcpt\0{orcpt}\0notify_flags\0{notify}\0\0"
            for original, recipient, offset, orcpt, notify in recipients
        ]
    )
    return text.encode("utf-8", "surrogateescape")


def return_flags(message: ActiveMessage) -> int:
    """Return what the sender wants to get back with a notice (RFC 3461 RET)."""
    return whole_number(message.attributes.get("ret_flags", ""))


def verp_sender(message: ActiveMessage, recipient: str) -> str:
    """Return the sender address that names a recipient.

    With the delimiters ``+=``, ``owner@ours`` and ``user@there`` give ``owner+user=there@ours``.  Source: VERP_README.
    """
    first, second = message.verp[0], message.verp[1]
    localpart, at, domain = message.sender.rpartition("@")
    user, _, host = recipient.rpartition("@")
    return f"{localpart}{first}{user}{second}{host}{at}{domain}"
