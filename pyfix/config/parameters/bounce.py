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
    """Who gets mail that can be neither delivered nor returned."""

    bounce_size_limit = integer("50000", minimum=1)
    """Bytes of a message that are returned with a report."""

    bounce_template_file = text("")
    """A file of templates in place of the built-in ones."""

    delay_notice_recipient = text("postmaster", minimum=1)
    """Who gets copies of delay notices when notify_classes has ``delay``."""

    enable_threaded_bounces = boolean("no")
    """Whether reports refer to the message's id, so that mail programs show them beside it."""

    requiretls_redact_dsn = boolean("yes")
    """Whether a report about REQUIRETLS mail leaves the message's body out."""
