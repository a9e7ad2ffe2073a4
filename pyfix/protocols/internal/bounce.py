"""Requests to the bounce, defer and trace services, which keep a log of outcomes for each message.

Which log a request is for depends on the service that it is sent to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from pyfix.formats.attributes import Attributes, Long

PROTOCOL: Final = "delivery_status_protocol"

APPEND: Final = 0
FLUSH: Final = 1
WARN: Final = 2
VERP: Final = 3
ONE: Final = 4
TRACE: Final = 5

# Bits of flags.
CLEAN: Final = 1
"""Remove the log when the request fails: it is the first entry of a message that is tried once only."""
DELETE_RECIPIENTS: Final = 2
"""Mark the recipients that the log names done in the queue file."""


@dataclass(frozen=True, slots=True)
class Command(Attributes):
    """What each request begins with."""

    nrequest: int
    flags: int


@dataclass(frozen=True, slots=True)
class Append(Attributes):
    """Add one recipient's outcome to the log of a message."""

    nrequest: int = field(default=APPEND, init=False)
    flags: int
    queue_id: str
    original_recipient: str
    recipient: str
    offset: Long
    dsn_orig_rcpt: str
    notify_flags: int
    status: str
    diag_type: str
    diag_text: str
    mta_type: str
    mta_name: str = field(metadata={"wire": "mta_mname"})
    action: str
    reason: str


@dataclass(frozen=True, slots=True)
class Flush(Attributes):
    """Send the notice for what the log has: non-delivery (FLUSH), delay (WARN) or success and trace (TRACE)."""

    nrequest: int
    flags: int
    queue_name: str
    queue_id: str
    encoding: str
    sendopts: int
    sender: str
    envelope_id: str
    ret_flags: int


@dataclass(frozen=True, slots=True)
class FlushVerp(Flush):
    """Send one non-delivery notice for each recipient, to a sender address that names the recipient."""

    verp_delimiters: str


@dataclass(frozen=True, slots=True)
class One(Flush):
    """Send a non-delivery notice for one recipient, without a log."""

    original_recipient: str
    recipient: str
    offset: Long
    dsn_orig_rcpt: str
    notify_flags: int
    status: str
    diag_type: str
    diag_text: str
    mta_type: str
    mta_name: str = field(metadata={"wire": "mta_mname"})
    action: str
    reason: str


_OPTIONS_37: Final = {"wire": "smtputf8"}


@dataclass(frozen=True, slots=True)
class Flush37(Flush):
    """Flush as Postfix 3.7 has it."""

    sendopts: int = field(metadata=_OPTIONS_37)


@dataclass(frozen=True, slots=True)
class FlushVerp37(FlushVerp):
    """FlushVerp as Postfix 3.7 has it."""

    sendopts: int = field(metadata=_OPTIONS_37)


@dataclass(frozen=True, slots=True)
class One37(One):
    """One as Postfix 3.7 has it."""

    sendopts: int = field(metadata=_OPTIONS_37)


@dataclass(frozen=True, slots=True)
class Result(Attributes):
    """The answer: 0 when it is done."""

    status: int
