"""The request that a delivery agent gets for an entry."""

from __future__ import annotations

from typing import Final

from pyfix.formats.number import whole_number
from pyfix.protocols.internal.delivery import BOUNCE, SUCCESS, InternalProtocol, encode_arrival
from pyfix.scheduling.message import ActiveMessage, Entry

_USUAL: Final = SUCCESS | BOUNCE
_OPTIONS_NAME: Final[dict[InternalProtocol, str]] = {"3.11": "sendopts", "3.7": "smtputf8"}
_MASK: Final = 0xFFFFFFFF
_CLIENT: Final = ("client_name", "client_address", "client_port", "protocol_name", "helo_name")
_LOGGED_CLIENT: Final = tuple(f"log_{name}" for name in _CLIENT)
_COPIED: Final = (
    *_LOGGED_CLIENT, "sasl_method", "sasl_username", "sasl_sender", "log_ident", "rewrite_context",
)  # fmt: skip
_COPY: Final = "".join([f"{name}\0%({name})s\0" for name in _COPIED])
_ABSENT: Final = dict.fromkeys((*_COPIED, "encoding", "envelope_id", "ret_flags"), "") | {"rewrite_context": "local"}
"""What a message has that has no such attribute."""
_RECIPIENT: Final = "original_recipient\0%s\0recipient\0%s\0offset\0%s\0dsn_orig_rcpt\0%s\0notify_flags\0%s\0\0".__mod__


def encode_request(entry: Entry, protocol: InternalProtocol) -> bytes:
    """Return the lists of DeliveryRequest and its recipients as bytes.

    Written out here, because each delivery passes; a test holds it against the message classes.
    """
    message, destination, recipients = entry
    sizes = message.sizes
    values = _ABSENT | message.attributes
    if not all(map(values.__getitem__, _LOGGED_CLIENT)):
        # Who logs a message names the client itself, where nobody gave another to be logged.
        for logged, name in zip(_LOGGED_CLIENT, _CLIENT, strict=True):
            values[logged] = values[logged] or values.get(name, "")
    sender = verp_sender(message, recipients[0].recipient) if message.verp else message.sender
    text = (
        f"flags\0{_USUAL | message.flags | destination.caching}\0queue_name\0active\0queue_id\0{message.queue_id}\0"
        f"offset\0{sizes.data_offset}\0size\0{sizes.content or sizes.segment}\0nexthop\0{destination.nexthop}\0"
        f"encoding\0{values['encoding']}\0{_OPTIONS_NAME[protocol]}\0{sizes.options & _MASK}\0sender\0{sender}\0"
        f"envelope_id\0{values['envelope_id']}\0ret_flags\0{return_flags(message) if values['ret_flags'] else 0}\0"
        f"time\0{encode_arrival(message.arrival_time, message.active_time)}\0"
        f"{_COPY % values}recipient_count\0{len(recipients)}\0\0{''.join(map(_RECIPIENT, recipients))}"
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
