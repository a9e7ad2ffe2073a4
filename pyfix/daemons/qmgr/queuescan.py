"""How far the scan of a queue is, and what is asked of it meanwhile.

Source: qmgr(8), TRIGGERS.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyfix.queue.scan import queue_ids
from pyfix.queue.spool import Spool

__all__ = ["QueueScan"]


class QueueScan:
    """The scan of one queue: what is asked of it, and how far it is."""

    __slots__ = ("again", "again_flushes", "again_ignores_times", "files", "flushes", "ignores_times", "queue")

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self.files: Iterator[tuple[str, str]] | None = None
        self.ignores_times = False
        self.flushes = False
        """What is found is delivered, also by transports that wait for that (defer_transports)."""
        self.again = False
        """A request came during the scan: what it meant may be behind us."""
        self.again_ignores_times = self.again_flushes = False

    def request(self, spool: Spool, *, ignore_times: bool, flush: bool = False) -> None:
        """Begin, or note that another scan is wanted."""
        if self.files is not None:
            self.again = True
            self.again_ignores_times |= ignore_times
            self.again_flushes |= flush
            return
        self.files = queue_ids(spool, self.queue)
        self.ignores_times = ignore_times
        self.flushes = flush

    def ended(self, spool: Spool) -> None:
        """All files were seen."""
        self.files = None
        if self.again:
            self.again = False
            ignore_times, self.again_ignores_times = self.again_ignores_times, False
            flush, self.again_flushes = self.again_flushes, False
            self.request(spool, ignore_times=ignore_times, flush=flush)
