"""Messages in the active queue, and the parts in which they are delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pyfix.formats.queuefile import Sizes
from pyfix.queue.envelope import Envelope, EnvelopeRecipient
from pyfix.queue.message import MessageDamaged
from pyfix.scheduling.transport import Destination

if TYPE_CHECKING:
    from pyfix.scheduling.jobs import Job
    from pyfix.scheduling.transport import Transport


class ActiveMessage:
    """One message of the active queue."""

    # What most messages do not change stands here and not in each object.
    flags = 0
    """Bits of a delivery request that the submitter asked for: probes, trace."""
    envelope: Envelope | None = None
    """Kept open while recipients are left to be read."""
    complete = True
    outstanding = 0
    """Entries that are not done."""
    unread = 0
    """Recipients that are not in memory yet."""
    held = 0
    """Recipients in memory, of a message that has others."""
    portion = 0
    """How many were read the last time."""
    read_at = 0.0
    """When that was, by the loop's clock."""
    jobs: dict[Transport, Job] | None = None
    """What it has to deliver, by transport, where the discipline is by jobs."""
    damage: MessageDamaged | None = None
    """Why the rest of its recipients cannot be read."""
    deferred = False
    """Some recipient was deferred."""
    flushed = False
    """Somebody wants it delivered now, also by a transport that waits for that (defer_transports)."""
    expire = False
    """Return it to the sender now (postsuper -e)."""

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


class Entry(NamedTuple):
    """Recipients of one message that go to one destination in one request."""

    message: ActiveMessage
    destination: Destination
    recipients: list[EnvelopeRecipient]
