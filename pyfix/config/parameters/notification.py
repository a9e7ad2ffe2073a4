"""Whom to tell what."""

from __future__ import annotations

from pyfix.config.parameter import duration, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["NotificationSettings"]


class NotificationSettings(Settings):
    """Whom to tell what."""

    bounce_notice_recipient = text("postmaster", minimum=1)
    delay_warning_time = duration("0h")
    duplicate_filter_limit = integer("1000")
    error_notice_recipient = text("postmaster", minimum=1)
    header_from_format = text("standard", minimum=1)
    notify_classes = words("resource, software")
