"""Delivery requests: what qmgr(8) asks of a delivery agent, and the answer.

A request is one attribute list, followed by one list for each recipient.  The agent speaks first
(its handshake); after its answer it waits for qmgr(8) to close the connection.
"""

from __future__ import annotations

import struct
from base64 import b64decode
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, NamedTuple, Self

from pyfix.formats.attributes import AttributeListError, Attributes, Long, decode_pairs, end_of_list

PROTOCOL: Final = "delivery_request_protocol"

# Bits of DeliveryRequest.flags.
SUCCESS: Final = 1
"""Delete the recipient's record after a final outcome: mark it done in the queue file."""
BOUNCE: Final = 2
"""Keep a log of failures; unset for a message whose failures are reported at once, one by one."""
MTA_VERIFY: Final = 256
"""An address probe for smtpd(8): the outcome goes to verify(8)."""
USER_VERIFY: Final = 512
"""What-if delivery (sendmail -bv): the outcome goes to trace(8)."""
RECORD: Final = 1024
"""Deliver, and report the outcome to trace(8) too (sendmail -v)."""
CONN_LOAD: Final = 2048
"""The destination is busy: take a cached connection."""
CONN_STORE: Final = 4096
"""The destination is busy: leave the connection in the cache."""
RECORD_DELAY_SENT: Final = 8192
"""A delayed delivery notification went out: report success too, even if it was not asked for."""
ANY_VERIFY: Final = MTA_VERIFY | USER_VERIFY

STATUS_FINAL: Final = 0
STATUS_DEFER: Final = -1

InternalProtocol = Literal["3.11", "3.7"]
"""Whose internal lists a peer speaks; they differ in the name of one attribute."""

_STATS: Final = struct.Struct("<10qi4x")


class MessageStats(NamedTuple):
    """When the stages of a delivery were passed: seconds of the clock; 0 is unset."""

    incoming_arrival: float = 0.0
    active_arrival: float = 0.0
    agent_handoff: float = 0.0
    connected: float = 0.0
    delivered: float = 0.0
    reuse_count: int = 0
    """How often a cached connection was used."""

    def encode(self) -> bytes:
        """Return the form on the wire: five pairs of seconds and microseconds, and the count, as C lays them out."""
        a, b, c, d, e, reuse = self
        ia, ib, ic, id_, ie = int(a), int(b), int(c), int(d), int(e)
        return _STATS.pack(
            ia, int((a - ia) * 1e6), ib, int((b - ib) * 1e6), ic, int((c - ic) * 1e6),
            id_, int((d - id_) * 1e6), ie, int((e - ie) * 1e6), reuse,
        )  # fmt: skip

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the form on the wire.  Raises AttributeListError."""
        try:
            a, au, b, bu, c, cu, d, du, e, eu, reuse = _STATS.unpack(data)
        except struct.error:
            raise AttributeListError("malformed value of attribute time") from None
        return cls(a + au / 1e6, b + bu / 1e6, c + cu / 1e6, d + du / 1e6, e + eu / 1e6, reuse)


@dataclass(frozen=True, slots=True)
class Recipient(Attributes):
    """One recipient of a request, or of a queue file."""

    original_recipient: str
    """The address before alias expansion; empty if there was none."""
    recipient: str
    offset: Long
    """Where the recipient's record starts in the queue file; 0 for none."""
    dsn_orig_rcpt: str = ""
    notify_flags: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryRequest(Attributes):
    """The head of a request; *recipient_count* lists of Recipient follow."""

    flags: int
    queue_name: str
    queue_id: str
    offset: Long
    """Where the content begins in the queue file."""
    size: Long
    """Bytes of the content."""
    nexthop: str
    encoding: str
    sendopts: int
    sender: str
    envelope_id: str
    ret_flags: int
    time: bytes
    """A MessageStats."""
    client_name: str = field(metadata={"wire": "log_client_name"})
    client_address: str = field(metadata={"wire": "log_client_address"})
    client_port: str = field(metadata={"wire": "log_client_port"})
    protocol_name: str = field(metadata={"wire": "log_protocol_name"})
    helo_name: str = field(metadata={"wire": "log_helo_name"})
    sasl_method: str
    sasl_username: str
    sasl_sender: str
    log_ident: str
    rewrite_context: str
    recipient_count: int


@dataclass(frozen=True, slots=True)
class DeliveryRequest37(DeliveryRequest):
    """The same as Postfix 3.7 has it."""

    sendopts: int = field(metadata={"wire": "smtputf8"})


REQUESTS: Final[dict[InternalProtocol, type[DeliveryRequest]]] = {"3.11": DeliveryRequest, "3.7": DeliveryRequest37}
"""The class to send, by the version that the agents speak.  A receiver takes both."""


_HEAD_NAMES: Final = [member.metadata.get("wire", member.name) for member in fields(DeliveryRequest)]
_HEAD_NAMES_37: Final = [member.metadata.get("wire", member.name) for member in fields(DeliveryRequest37)]
_HEAD_FIELDS: Final = [member.name for member in fields(DeliveryRequest)]
_RECIPIENT_NAMES: Final = [member.name for member in fields(Recipient)]
_HEAD_WORDS: Final = 2 * len(_HEAD_NAMES)
_RECIPIENT_WORDS: Final = 2 * len(_RECIPIENT_NAMES)
_COUNT_AT: Final = _HEAD_WORDS - 1


def decode_whole(data: bytes) -> tuple[DeliveryRequest, list[Recipient]] | None:
    """Return a request that *data* has whole, with nothing after it and exactly the attributes that we know.

    None for anything else, which decode_request may still understand.
    """
    words = data.decode("utf-8", "surrogateescape").split("\0")
    if len(words) <= _HEAD_WORDS or words[_HEAD_WORDS] or words[-1]:
        return None
    names = words[0:_HEAD_WORDS:2]
    if names == _HEAD_NAMES:
        kind: type[DeliveryRequest] = DeliveryRequest
    elif names == _HEAD_NAMES_37:
        kind = DeliveryRequest37
    else:
        return None
    start, step = _HEAD_WORDS + 1, _RECIPIENT_WORDS + 1
    # One empty word ends each list, one more follows the last NUL.
    if not words[_COUNT_AT].isdecimal() or len(words) != start + step * int(words[_COUNT_AT]) + 1:
        return None
    values: list[Any] = words[1:_HEAD_WORDS:2]
    recipients: list[Recipient] = []
    try:
        for index in (0, 7, 10, 22):
            values[index] = int(values[index])
        values[3] = Long(values[3])
        values[4] = Long(values[4])
        values[11] = b64decode(values[11], validate=True)
        for at in range(start, len(words) - 1, step):
            end = at + _RECIPIENT_WORDS
            if words[end] or words[at:end:2] != _RECIPIENT_NAMES:
                return None
            original, recipient, offset, orcpt, notify = words[at + 1 : end : 2]
            recipients.append(Recipient(original, recipient, Long(offset), orcpt, int(notify)))
    except ValueError:
        return None
    request = object.__new__(kind)
    for name, value in zip(_HEAD_FIELDS, values, strict=True):
        object.__setattr__(request, name, value)
    return request, recipients


def decode_request(data: bytes, start: int = 0) -> tuple[DeliveryRequest, int] | None:
    """Return the head of a request that begins at *start* and the offset after it, None while it is incomplete.

    Raises AttributeListError.
    """
    end = end_of_list(data, start)
    if end < 0:
        return None
    pairs = decode_pairs(data[start:end])
    kind = DeliveryRequest37 if len(pairs) > 7 and pairs[7][0] == "smtputf8" else DeliveryRequest
    return kind.from_pairs(pairs), end


def decode_recipients(data: bytes, start: int, count: int) -> tuple[list[Recipient], int]:
    """Return the complete lists of up to *count* recipients from *start*, and the offset after the last one.

    Raises AttributeListError.
    """
    recipients: list[Recipient] = []
    while len(recipients) < count:
        end = end_of_list(data, start)
        if end < 0:
            break
        recipients.append(Recipient.decode(data[start:end]))
        start = end
    return recipients, start


@dataclass(frozen=True, slots=True)
class Dsn(Attributes):
    """A delivery status with its details.  Source: RFC 3464."""

    status: str
    """Enhanced status code."""
    diag_type: str
    """``smtp`` or ``x-unix``; what diag_text is."""
    diag_text: str
    mta_type: str
    """``dns``; what mta_name is."""
    mta_name: str = field(metadata={"wire": "mta_mname"})
    action: str
    """``delivered``, ``relayed``, ``expanded``, ``delayed`` or ``failed``."""
    reason: str


@dataclass(frozen=True, slots=True)
class DeliveryReply(Attributes):
    """What an agent answers.  The status is set only when the whole destination is out of order."""

    dsn_status: str = field(default="", metadata={"wire": "status"})
    diag_type: str = ""
    diag_text: str = ""
    mta_type: str = ""
    mta_name: str = field(default="", metadata={"wire": "mta_mname"})
    action: str = ""
    reason: str = ""
    status: int = STATUS_FINAL
    """STATUS_FINAL, or STATUS_DEFER when recipients are left."""
