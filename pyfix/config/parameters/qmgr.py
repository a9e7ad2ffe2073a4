"""The queue manager: qmgr(8), oqmgr(8), SCHEDULER_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, text, words
from pyfix.config.parameters.address_mappings import AddressMappingSettings
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.queue_times import QueueTimeSettings

__all__ = ["QmgrSettings"]


class QmgrSettings(QueueTimeSettings, AddressMappingSettings, MailSettings):
    """The queue manager: qmgr(8), oqmgr(8), SCHEDULER_README."""

    address_verify_pending_request_limit = integer("5000", minimum=1)
    """Probes in the queue at a time."""

    bounce_queue_lifetime = duration("5d", maximum=8640000)
    """The same as maximal_queue_lifetime for mail with the null sender."""

    confirm_delay_cleared = boolean("no")
    """Whether senders hear that delayed mail has been delivered."""

    default_delivery_slot_cost = integer("5", readers="qmgr")
    """Recipients to deliver before another job may be interrupted once."""

    default_delivery_slot_discount = integer("50", maximum=100, readers="qmgr")
    """Percent of the slots needed that are enough to interrupt."""

    default_delivery_slot_loan = integer("3", readers="qmgr")
    """Slots that a job has before it has earned any."""

    default_destination_concurrency_failed_cohort_limit = integer("1")
    """Rounds of failures after which a destination is taken for dead."""

    default_destination_concurrency_limit = integer("20")
    """Deliveries to one destination at a time."""

    default_destination_concurrency_negative_feedback = text("1", minimum=1)
    """What a failure takes off a destination's concurrency."""

    default_destination_concurrency_positive_feedback = text("1", minimum=1)
    """What a success adds to a destination's concurrency."""

    default_destination_rate_delay = duration("0s")
    """Seconds between two deliveries to one destination."""

    default_destination_recipient_limit = integer("50")
    """Recipients of one delivery."""

    default_extra_recipient_limit = integer("1000", readers="qmgr")
    """Recipients in memory beyond the limit for a job that interrupts."""

    default_filter_nexthop = text("")
    """The next hop of a content filter that names none."""

    default_minimum_delivery_slots = integer("3", readers="qmgr")
    """Slots that a message must be able to earn to be worth interrupting."""

    default_recipient_limit = integer("20000", readers="qmgr")
    """Recipients of one transport in memory."""

    default_recipient_refill_delay = duration("5s", minimum=1, readers="qmgr")
    """Seconds after which more recipients are read even when few are."""

    default_recipient_refill_limit = integer("100", minimum=1, readers="qmgr")
    """Recipients that are read at least at a time."""

    default_transport_rate_delay = duration("0s")
    """Seconds between two deliveries of one transport."""

    defer_transports = words("")
    """The transports that deliver only when the queue is flushed."""

    destination_concurrency_feedback_debug = boolean("no")
    """Whether the concurrency arithmetic is logged."""

    initial_destination_concurrency = integer("5", minimum=1)
    """Deliveries to a new destination at a time."""

    local_destination_concurrency_limit = integer("2")
    """Deliveries to one local recipient at a time."""

    local_destination_recipient_limit = integer("1")
    """Recipients of one local delivery."""

    maximal_backoff_time = duration("4000s", minimum=1)
    """Seconds at most between two tries to deliver."""

    qmgr_clog_warn_time = duration("300s")
    """Seconds between two warnings that one destination fills the active queue; 0: never."""

    qmgr_daemon_timeout = duration("1000s", minimum=1)
    """What daemon_timeout is for the queue manager."""

    qmgr_fudge_factor = integer("100", minimum=10, maximum=100, readers="oqmgr")
    """Percent of the recipients that oqmgr(8) gives to a message's own pace."""

    qmgr_ipc_timeout = duration("60s", minimum=1)
    """What ipc_timeout is for the queue manager."""

    qmgr_message_active_limit = integer("20000", minimum=1)
    """Messages in the active queue."""

    qmgr_message_recipient_limit = integer("20000", minimum=1)
    """Recipients in memory, and destinations that are remembered as dead."""

    qmgr_message_recipient_minimum = integer("10", minimum=1, readers="qmgr")
    """Recipients in memory of each message."""

    transport_retry_time = duration("60s", minimum=1)
    """Seconds before a transport that failed is tried again."""
