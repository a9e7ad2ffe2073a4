"""Dates as they stand in the headers of messages.  Source: RFC 5322 section 3.3."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Final

__all__ = ["mail_date"]

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=64)
def mail_date(second: int) -> str:
    """Return ``Mon, 23 Nov 2026 02:50:04 +0000 (UTC)`` for a time in seconds since the epoch, in local time."""
    local = time.localtime(second)
    sign, offset = ("-", -local.tm_gmtoff) if local.tm_gmtoff < 0 else ("+", local.tm_gmtoff)
    minutes = offset // 60
    return (
        f"{_DAYS[local.tm_wday]}, {local.tm_mday:02d} {_MONTHS[local.tm_mon - 1]} {local.tm_year} "
        f"{local.tm_hour:02d}:{local.tm_min:02d}:{local.tm_sec:02d} "
        f"{sign}{minutes // 60:02d}{minutes % 60:02d} ({local.tm_zone})"
    )
