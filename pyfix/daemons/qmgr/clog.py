"""Warnings about a destination that fills the active queue, so that other mail has to wait.

Source: postconf(5) qmgr_clog_warn_time, helpful_warnings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.scheduling.transport import Destination

_PARTS: Final = 5
"""A destination is told of when it has more than one part in five of what the active queue may have."""
_NEARLY_ALL: Final = 0.9


class ClogWatch:
    """Looks at a destination when something more has to wait for it."""

    def __init__(self, settings: QmgrSettings, active: Callable[[], int]) -> None:
        """*active* tells how many messages are in the active queue."""
        self._every = settings.qmgr_clog_warn_time if settings.helpful_warnings else 0
        self._limit = settings.qmgr_message_active_limit
        self._active = active
        self.most: Final = self._limit // _PARTS if self._every else 0
        """Entries of a destination that nobody is told of; 0 for any number."""

    def look(self, destination: Destination) -> None:
        """Warn, once in a while, of a destination for which too many entries wait or are under way."""
        now = current().now
        if now < destination.warn_again:
            return
        destination.warn_again = now + self._every
        waiting = destination.waiting + destination.busy
        active = max(self._active(), 1)
        log.warning(f"mail for {destination.nexthop} is using up {waiting} of {active} active queue entries")
        if waiting / active < _NEARLY_ALL:
            log.warning("this may slow down other mail deliveries")
        for line in self._advice(destination, waiting / active):
            log.warning(line)
        log.warning("please avoid flushing the whole queue when you have")
        log.warning("lots of deferred mail, that is bad for performance")
        log.warning("to turn off these warnings specify: qmgr_clog_warn_time = 0")

    def _advice(self, destination: Destination, share: float) -> list[str]:
        transport = destination.transport
        name, limit = transport.name, transport.rules.limit
        if 0 < limit <= destination.busy + 1:
            return [f"you may need to increase the main.cf {name}_destination_concurrency_limit from {limit}"]
        if destination.window.size > self._limit * share:
            return [f"you may need to increase the main.cf qmgr_message_active_limit from {self._limit}"]
        if sum(1 for other in transport.destinations.values() if other.waiting) > 1:
            return [f"you may need a separate master.cf transport for {destination.nexthop}"]
        return [
            f"you may need to reduce {name} connect and helo timeouts",
            "so that Postfix quickly skips unavailable hosts",
            "you may need to increase the main.cf minimal_backoff_time and maximal_backoff_time",
            "so that Postfix wastes less time on undeliverable mail",
            f"you may need to increase the master.cf {name} process limit",
        ]
