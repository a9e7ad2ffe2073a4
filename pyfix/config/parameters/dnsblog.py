"""DNS list lookups for postscreen(8): dnsblog(8)."""

from __future__ import annotations

from pyfix.config.parameter import duration
from pyfix.config.parameters.mail import MailSettings

__all__ = ["DnsblogSettings"]


class DnsblogSettings(MailSettings):
    """DNS list lookups for postscreen(8): dnsblog(8)."""

    dnsblog_reply_delay = duration("0s")
    """Seconds to hold back a reply, for tests."""
