"""Delivery requests: what qmgr(8) asks of a delivery agent, and the answer.

A request is one attribute list, followed by one list for each recipient.  The agent speaks first
(its handshake); after its answer it waits for qmgr(8) to close the connection.
"""

from __future__ import annotations

import re
import struct
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import repeat
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


_ARRIVAL: Final = struct.Struct("<4q56x").pack
"""The beginning of a MessageStats, and zeros for the rest."""


def encode_arrival(incoming: float, active: float) -> str:
    """Return the text on the wire of ``MessageStats(incoming, active)``, all that a request has of it."""
    a, b = int(incoming), int(active)
    stats = _ARRIVAL(a, int((incoming - a) * 1e6), b, int((active - b) * 1e6))
    return b2a_base64(stats, newline=False).decode("ascii")


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
_ASKED: Final = {
    "flags": "([0-9]{1,10})", "queue_name": "([^\0]*)", "queue_id": "([^\0]*)", "offset": "([0-9]{1,18})",
    "size": "([0-9]{1,18})", "nexthop": "([^\0]*)", "encoding": "([^\0]*)", "sendopts": "([0-9]{1,10})",
    "smtputf8": "([0-9]{1,10})", "sender": "([^\0]*)", "envelope_id": "([^\0]*)", "ret_flags": "([0-9]{1,10})",
    "time": "([A-Za-z0-9+/=]*)", "recipient_count": "([0-9]{1,6})",
}  # fmt: skip
"""What each delivery asks of a request, by its name on the wire."""
_OTHER: Final = "[^\0]*"


def _head_pattern(names: Sequence[str]) -> str:
    return "".join([f"{name}\0{_ASKED.get(name, _OTHER)}\0" for name in names]) + "\0"


_RECIPIENT_PATTERN: Final = (
    "original_recipient\0([^\0]*)\0recipient\0([^\0]*)\0offset\0([0-9]{1,18})\0"
    "dsn_orig_rcpt\0([^\0]*)\0notify_flags\0([0-9]{1,10})\0\0"
)
_HEAD: Final = re.compile(_head_pattern(_HEAD_NAMES))
_HEAD_37: Final = re.compile(_head_pattern(_HEAD_NAMES_37))
_RECIPIENT: Final = re.compile(_RECIPIENT_PATTERN)
_WITH_ONE_RECIPIENT: Final = re.compile(_head_pattern(_HEAD_NAMES) + _RECIPIENT_PATTERN).fullmatch
_FIRST_STATS: Final = struct.Struct("<4q").unpack_from
_set: Final = object.__setattr__


class ReceivedRequest(DeliveryRequest):
    """A request of which only what each delivery asks for was read; the rest follows when somebody asks for it.

    To read all 23 values of each request takes longer than all else that discard(8) does with it.
    """

    __slots__ = ("_data",)

    _data: bytes

    def __getattr__(self, name: str) -> Any:
        """Read what was left out.  Afterwards the attributes are there, and this is not called."""
        found = decode_request(self._data) if name in _HEAD_FIELDS else None
        if found is None:
            raise AttributeError(name)
        for field_name in _HEAD_FIELDS:
            _set(self, field_name, getattr(found[0], field_name))
        return getattr(found[0], name)


_READ_FIELDS: Final = (
    "_data", "flags", "queue_name", "queue_id", "offset", "size", "nexthop", "encoding", "sendopts", "sender",
    "envelope_id", "ret_flags",
)  # fmt: skip
_HEAD_VALUES: Final = 13
"""Values of the head that are read."""
_RECIPIENT_FIELDS: Final = [member.name for member in fields(Recipient)]


def decode_whole(data: bytes) -> tuple[DeliveryRequest, list[Recipient], MessageStats] | None:
    """Return a request that *data* has whole, with nothing after it and exactly the attributes that we know.

    None for anything else, which decode_request may still understand.
    """
    text = data.decode("utf-8", "surrogateescape")
    found = _WITH_ONE_RECIPIENT(text)
    if found is not None:
        values = found.groups()
        recipients = [_recipient(*values[_HEAD_VALUES:])]
    else:
        head = _HEAD.match(text) or _HEAD_37.match(text)
        if head is None:
            return None
        values = head.groups()
        recipients = []
        position = head.end()
        while found := _RECIPIENT.match(text, position):
            recipients.append(_recipient(*found.groups()))
            position = found.end()
        if position != len(text):
            return None
    (
        flags, queue_name, queue_id, offset, size, nexthop, encoding, options, sender, envelope_id, ret_flags, stamp,
        count,
    ) = values[:_HEAD_VALUES]  # fmt: skip
    if len(recipients) != int(count):
        return None
    try:
        stats = a2b_base64(stamp)
    except ValueError:
        return None
    if len(stats) != _STATS.size:
        return None
    arrival, arrival_part, active, active_part = _FIRST_STATS(stats)
    request = object.__new__(ReceivedRequest)
    read = (
        data, int(flags), queue_name, queue_id, Long(offset), Long(size), nexthop, encoding, int(options), sender,
        envelope_id, int(ret_flags),
    )  # fmt: skip
    # Each value is set, and the Nones that come of it are nothing.
    any(map(_set, repeat(request), _READ_FIELDS, read))
    return request, recipients, MessageStats(arrival + arrival_part / 1e6, active + active_part / 1e6)


def _recipient(original: str, address: str, offset: str, orcpt: str, notify: str) -> Recipient:
    """Make a recipient of its texts on the wire, faster than the constructor of a frozen class."""
    recipient = object.__new__(Recipient)
    any(map(_set, repeat(recipient), _RECIPIENT_FIELDS, (original, address, Long(offset), orcpt, int(notify))))
    return recipient


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
