"""Fast flush: flush(8)."""

from __future__ import annotations

from pyfix.config.parameter import duration
from pyfix.config.parameters.mail import MailSettings

__all__ = ["FlushSettings"]


class FlushSettings(MailSettings):
    """Fast flush: flush(8)."""

    fast_flush_purge_time = duration("7d", minimum=1)
    """Seconds after which an empty list of deferred mail is removed."""

    fast_flush_refresh_time = duration("12h", minimum=1)
    """Seconds after which a list that was not used is flushed."""
