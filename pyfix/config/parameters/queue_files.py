"""The queue and its files, mailbox locks."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, longinteger, words
from pyfix.config.snapshot import Settings

__all__ = ["QueueFileSettings"]


class QueueFileSettings(Settings):
    """The queue and its files, mailbox locks."""

    backwards_bounce_logfile_compatibility = boolean("yes")
    """Whether bounce logs also have the lines that versions before 2.1 read."""

    default_delivery_status_filter = words("")
    """Tables that change the status code and text of an outcome before it counts."""

    deliver_lock_attempts = integer("20", minimum=1)
    """How often to try for an exclusive lock on a mailbox or bounce log."""

    deliver_lock_delay = duration("1s", minimum=1)
    """Seconds between two tries for a lock."""

    dont_remove = integer("0")
    """Nonzero: finished queue files go to the saved directory instead of being removed."""

    enable_long_queue_ids = boolean("no")
    """Whether queue ids are made from the time and never come twice."""

    enable_original_recipient = boolean("yes")
    """Whether the recipient before rewriting is kept and shown in X-Original-To:."""

    fast_flush_domains = words("$relay_domains")
    """The domains for which flush(8) keeps lists of deferred mail, so that ETRN is cheap."""

    hash_queue_depth = integer("1", minimum=1)
    """Directory levels of hashed queues."""

    hash_queue_names = words("deferred, defer", minimum=1)
    """The queues that are spread over subdirectories."""

    in_flow_delay = duration("1s", maximum=10)
    """Seconds to hold back new mail when it comes in faster than it goes out; 0: never."""

    message_size_limit = longinteger("10240000")
    """Bytes of a message with its envelope; 0: no limit."""

    stale_lock_time = duration("500s", minimum=1)
    """Seconds after which a mailbox lock file is taken for forgotten."""
