"""Warnings about one request.  An answer that had one is not kept, so that the log tells of each such request."""

from __future__ import annotations

from pyfix.runtime.log import log


class Complaints:
    """Writes warnings and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def warn(self, text: str) -> None:
        """Log a warning about the request that is being answered."""
        self.count += 1
        log.warning(text)


complaints = Complaints()
