"""private/verify: results of address verification probes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from pyfix.formats.attributes import Attributes

PROTOCOL: Final = "address_verification_prrotocol"
"""The spelling is Postfix's own, and part of the protocol."""

OK: Final = 0
FAILED: Final = -1
BAD: Final = -2

RECIPIENT_OK: Final = 0
RECIPIENT_DEFERRED: Final = 1
RECIPIENT_BOUNCED: Final = 2
RECIPIENT_UNKNOWN: Final = 3
"""A probe is on its way."""


@dataclass(frozen=True, slots=True)
class Query(Attributes):
    """Is the address deliverable?"""

    request: Literal["query"] = field(default="query", init=False)
    address: str


@dataclass(frozen=True, slots=True)
class QueryReply(Attributes):
    """What is known of an address."""

    status: int
    recipient_status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Update(Attributes):
    """A delivery agent reports how a probe went."""

    request: Literal["update"] = field(default="update", init=False)
    address: str
    recipient_status: int
    reason: str


@dataclass(frozen=True, slots=True)
class StatusReply(Attributes):
    """The update was taken, or the request was not understood."""

    status: int
