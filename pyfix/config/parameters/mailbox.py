"""What the two mailbox writers share."""

from __future__ import annotations

from pyfix.config.parameter import boolean, text
from pyfix.config.snapshot import Settings

__all__ = ["MailboxSettings"]


class MailboxSettings(Settings):
    """What the two mailbox writers share."""

    mail_spool_directory = text("/var/mail")
    """Where mailboxes are, one file a user, or with a trailing slash one Maildir a user."""

    strict_mailbox_ownership = boolean("yes")
    """Whether a mailbox has to belong to its recipient."""
