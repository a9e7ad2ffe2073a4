"""Fast flush: flush(8)."""

from __future__ import annotations

from pyfix.config.parameter import duration
from pyfix.config.parameters.mail import MailSettings

__all__ = ["FlushSettings"]


class FlushSettings(MailSettings):
    """Fast flush: flush(8)."""

    fast_flush_purge_time = duration("7d", minimum=1)
    fast_flush_refresh_time = duration("12h", minimum=1)
