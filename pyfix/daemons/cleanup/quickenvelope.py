"""What most envelopes have in common, taken at one glance: their beginning, and attributes that only pass through.

Each function takes records in the plain form in which smtpd(8) writes them, all of them or none; whatever is odd is
left to the reader that looks at one record after the other.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from pyfix.formats.records import ATTRIBUTE, encode_record

if TYPE_CHECKING:
    from pyfix.daemons.cleanup.message import Message

_NAMES: Final = frozenset(
    (
        b"log_client_name", b"log_client_address", b"log_client_port", b"log_message_origin", b"log_helo_name",
        b"log_protocol_name", b"client_name", b"reverse_client_name", b"client_address", b"client_port",
        b"server_address", b"server_port", b"helo_name", b"protocol_name", b"client_address_type", b"log_ident",
        b"sasl_method", b"sasl_username", b"sasl_sender",
    )
)  # fmt: skip
"""Attributes that cleanup only hands on."""
_match_clean: Final = re.compile(rb"[!-~](?:[ -~]*[!-~])?\Z").match
"""A value that needs no second look."""
_LONGEST: Final = 0x7F
_MOST: Final = 5000
_split_starts: Final = re.compile(rb"A([\0-\x7f])(?=[a-z_]+=)", re.DOTALL).split
"""Cuts records at what looks like starts of attributes: length, payload, and so on."""
_WINDOW: Final = 4096
"""Bytes that are looked at together."""

_match_beginning: Final = re.compile(
    rb"T[\0-\x7f]([1-9][0-9]{0,17}) ([0-9]{1,18})"
    rb"A([\0-\x7f])log_ident=([0-9A-Za-z]{1,100})"
    rb"A(?:\x15rewrite_context=(local)|\x16rewrite_context=(remote))",
    re.DOTALL,
).match


def take_beginning(message: Message, data: bytes) -> int:
    """Take the first three records of *data*: time, log_ident and rewrite_context; return the offset after them.

    It is 0 when the message does not begin with these.
    """
    setup = message.setup
    found = _match_beginning(data)
    if found is None or setup.attribute_limit <= 2:
        return 0
    seconds, microseconds, size, ident, local, remote = found.groups()
    ident_record = found.start(3) - 1
    # What the pattern takes for records is what they are when their lengths say the same.
    if data[1] != ident_record - 2 or size[0] != len(ident) + 10:
        return 0
    message.has_time = True
    message.arrival = arrival = int(seconds)
    message.arrival_time = arrival + int(microseconds) / 1_000_000
    attributes = message.attributes
    attributes[b"log_ident"] = ident
    attributes[b"rewrite_context"] = local or remote
    if local is None:
        message.rewrite = "remote" if setup.remote_domain else None
    end = found.end()
    created = encode_record(ATTRIBUTE, b"create_time=%d" % time.time())
    message.out += (data[:ident_record], created, data[ident_record:end])
    return end


class PlainAttributes(dict[bytes, tuple[bytes, bytes] | None]):
    """What is in the payload of an attribute record: name and value, or None when it must be looked at closely.

    Clients come again and say the same: what was seen once is known.
    """

    def __missing__(self, payload: bytes) -> tuple[bytes, bytes] | None:
        """Look at a payload that was not met before."""
        name, _, value = payload.partition(b"=")
        if name not in _NAMES or len(payload) > _LONGEST or _match_clean(value) is None:
            return None
        if len(self) >= _MOST:
            self.clear()
        self[payload] = found = (name, value)
        return found


def take_run(known: PlainAttributes, attributes: dict[bytes, bytes], limit: int, data: bytes, position: int) -> int:
    """Add the attributes at *position* and after it that only pass through to *attributes*.

    Returns the offset after them, which is *position* when there are none, or more than *limit*.
    """
    stop = data.find(b"M\0", position, position + _WINDOW)
    parts = _split_starts(data[position : stop if stop >= 0 else position + _WINDOW])
    sizes = b"".join(parts[1::2])
    payloads = parts[2::2]
    if parts[0] or not payloads:
        return position
    # The last one has what follows it behind it.
    payloads[-1] = payloads[-1][: sizes[-1]]
    pairs = list(map(known.__getitem__, payloads))
    if None in pairs:
        del pairs[pairs.index(None) :]
        sizes, payloads = sizes[: len(pairs)], payloads[: len(pairs)]
    # Where something in a value looks like the start of a record, the lengths differ.
    if list(map(len, payloads)) != list(sizes) or len(attributes) + len(pairs) >= limit:
        return position
    attributes.update(pairs)  # type: ignore[arg-type]  # no None is left in it
    return position + 2 * len(sizes) + sum(sizes)
