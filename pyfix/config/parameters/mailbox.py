"""What the two mailbox writers share."""

from __future__ import annotations

from pyfix.config.parameter import boolean, text
from pyfix.config.snapshot import Settings

__all__ = ["MailboxSettings"]


class MailboxSettings(Settings):
    """What the two mailbox writers share."""

    mail_spool_directory = text("/var/mail")
    strict_mailbox_ownership = boolean("yes")
