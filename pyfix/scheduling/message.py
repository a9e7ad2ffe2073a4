"""Messages in the active queue, and the parts in which they are delivered."""

from __future__ import annotations

from typing import NamedTuple

from pyfix.formats.queuefile import Sizes
from pyfix.queue.envelope import Envelope, EnvelopeRecipient
from pyfix.scheduling.transport import Destination


class ActiveMessage:
    """One message of the active queue."""

    __slots__ = (
        "active_time", "arrival_time", "attributes", "complete", "deferred", "envelope", "expire", "filter", "flags",
        "in_memory", "outstanding", "queue_id", "redirect", "sender", "sizes", "verp", "warn_offset", "warn_time",
    )  # fmt: skip

    def __init__(self, queue_id: str, envelope: Envelope, sizes: Sizes, active_time: float) -> None:
        self.queue_id = queue_id
        self.sizes = sizes
        self.sender = envelope.sender or ""
        self.arrival_time = envelope.arrival_time
        self.active_time = active_time
        self.attributes = envelope.attributes
        self.verp = envelope.verp
        self.filter = envelope.filter
        self.redirect = envelope.redirect
        self.warn_time = envelope.warn_time
        self.warn_offset = envelope.warn_offset
        self.flags = 0
        """Bits of a delivery request that the submitter asked for: probes, trace."""
        self.envelope: Envelope | None = None
        """Kept open while recipients are left to be read."""
        self.complete = True
        self.outstanding = 0
        """Entries that are not done."""
        self.in_memory = 0
        """Recipients that are not done."""
        self.deferred = False
        """Some recipient was deferred."""
        self.expire = False
        """Return it to the sender now (postsuper -e)."""


class Entry(NamedTuple):
    """Recipients of one message that go to one destination in one request."""

    message: ActiveMessage
    destination: Destination
    recipients: list[EnvelopeRecipient]
