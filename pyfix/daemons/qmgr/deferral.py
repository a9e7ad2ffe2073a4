"""Deferral by qmgr(8) itself, of what retry(8) would defer if it could be reached."""

from __future__ import annotations

from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.daemons.qmgr.request import encode_request
from pyfix.formats.status import split_status
from pyfix.scheduling.message import Entry


async def defer_entry(settings: QmgrSettings, entry: Entry, reason: str) -> None:
    """Tell defer(8) and the log of each recipient; *reason* begins with an enhanced status code."""
    # What every agent has in memory; a queue manager whose retry(8) works does not need it.
    from pyfix.delivery.outcome import Deferred
    from pyfix.delivery.report import Delivery, Reporter
    from pyfix.protocols.internal.delivery import decode_whole
    from pyfix.queue.message import Message

    parsed = decode_whole(encode_request(entry, "3.11"))
    assert parsed is not None
    request, recipients, stats = parsed
    unopened = Message.__new__(Message)  # nothing is marked in the file of what is deferred
    delivery = Delivery(request, recipients, unopened, stats)
    outcome = Deferred(*split_status(reason, "4.3.0"))
    reporter = Reporter(settings)
    for recipient in recipients:
        await reporter.report(delivery, recipient, outcome)
