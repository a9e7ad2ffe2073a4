"""What happens to mail on its way in: filters and overrides."""

from __future__ import annotations

from pyfix.config.parameter import keywords, text
from pyfix.config.snapshot import Settings

__all__ = ["MailEntrySettings"]


class MailEntrySettings(Settings):
    """What happens to mail on its way in: filters and overrides."""

    content_filter = text("", readers="pickup qmqpd smtpd")
    """The transport and next hop that all new mail goes through first."""

    receive_override_options = keywords(
        "", "no_unknown_recipient_checks no_address_mappings no_header_body_checks no_milters",
        checked_by="pickup qmqpd smtpd", readers="pickup qmqpd smtpd",
    )  # fmt: skip
    """What this receiving service leaves to a later one, such as no_address_mappings."""
