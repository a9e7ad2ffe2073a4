"""The mail logger: postlogd(8)."""

from __future__ import annotations

from pyfix.config.parameter import duration
from pyfix.config.parameters.mail import MailSettings

__all__ = ["PostlogdSettings"]


class PostlogdSettings(MailSettings):
    """The mail logger: postlogd(8)."""

    postlogd_watchdog_timeout = duration("10s", minimum=10)
    """What daemon_timeout is for postlogd(8)."""
