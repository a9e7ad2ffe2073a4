"""The queue and its files, mailbox locks."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, longinteger, words
from pyfix.config.snapshot import Settings

__all__ = ["QueueFileSettings"]


class QueueFileSettings(Settings):
    """The queue and its files, mailbox locks."""

    backwards_bounce_logfile_compatibility = boolean("yes")
    default_delivery_status_filter = words("")
    deliver_lock_attempts = integer("20", minimum=1)
    deliver_lock_delay = duration("1s", minimum=1)
    dont_remove = integer("0")
    enable_long_queue_ids = boolean("no")
    enable_original_recipient = boolean("yes")
    fast_flush_domains = words("$relay_domains")
    hash_queue_depth = integer("1", minimum=1)
    hash_queue_names = words("deferred, defer", minimum=1)
    in_flow_delay = duration("1s", maximum=10)
    message_size_limit = longinteger("10240000")
    stale_lock_time = duration("500s", minimum=1)
