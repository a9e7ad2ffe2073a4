"""How often the queue is scanned, and for how long."""

from __future__ import annotations

from pyfix.config.parameter import duration
from pyfix.config.snapshot import Settings

__all__ = ["QueueTimeSettings"]


class QueueTimeSettings(Settings):
    """How often the queue is scanned, and for how long."""

    maximal_queue_lifetime = duration("5d", maximum=8640000, readers="bounce oqmgr qmgr")
    """Seconds after which mail is returned; 0: one try only."""

    minimal_backoff_time = duration("300s", minimum=1, readers="lmtp oqmgr qmgr smtp")
    """Seconds at least between two tries to deliver."""

    queue_run_delay = duration("300s", minimum=1, readers="lmtp oqmgr qmgr smtp")
    """Seconds between two scans of the deferred queue."""
