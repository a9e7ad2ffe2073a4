"""Non-delivery reports: bounce(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, integer, text
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.notification import NotificationSettings
from pyfix.config.parameters.queue_times import QueueTimeSettings

__all__ = ["BounceSettings"]


class BounceSettings(QueueTimeSettings, NotificationSettings, MailSettings):
    """Non-delivery reports: bounce(8)."""

    double_bounce_notice_recipient = text("postmaster", name="2bounce_notice_recipient", minimum=1)
    bounce_size_limit = integer("50000", minimum=1)
    bounce_template_file = text("")
    delay_notice_recipient = text("postmaster", minimum=1)
    enable_threaded_bounces = boolean("no")
    requiretls_redact_dsn = boolean("yes")
