"""What happens to mail on its way in: filters and overrides."""

from __future__ import annotations

from pyfix.config.parameter import text, words
from pyfix.config.snapshot import Settings

__all__ = ["MailEntrySettings"]


class MailEntrySettings(Settings):
    """What happens to mail on its way in: filters and overrides."""

    content_filter = text("", readers="pickup qmqpd smtpd")
    """The transport and next hop that all new mail goes through first."""

    receive_override_options = words("", readers="pickup qmqpd smtpd")
    """What this receiving service leaves to a later one, such as no_address_mappings."""
