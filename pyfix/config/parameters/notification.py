"""Whom to tell what."""

from __future__ import annotations

from pyfix.config.parameter import choice, duration, integer, keywords, text
from pyfix.config.snapshot import Settings

__all__ = ["NotificationSettings"]


class NotificationSettings(Settings):
    """Whom to tell what."""

    bounce_notice_recipient = text("postmaster", minimum=1, readers="bounce smtpd")
    """Who gets copies of bounces when notify_classes has ``bounce``."""

    delay_warning_time = duration("0h", readers="bounce cleanup")
    """Seconds after which a sender hears that mail is delayed; 0: never."""

    duplicate_filter_limit = integer("1000", readers="cleanup local showq")
    """Addresses that are remembered to find duplicates; 0: no limit."""

    error_notice_recipient = text("postmaster", minimum=1, readers="lmtp smtp smtpd")
    """Who gets notices of classes for which there is no other parameter."""

    header_from_format = choice(
        "standard", "standard obsolete", refusal='invalid setting: "{name} = {value}"',
        checked_by="bounce cleanup lmtp smtp smtpd", readers="bounce cleanup lmtp smtp smtpd",
    )  # fmt: skip
    """Whether From: headers of our making are ``address (name)`` or ``name <address>``."""

    notify_classes = keywords(
        "resource, software", "2bounce bounce data delay policy protocol resource software",
        checked_by="smtpd", readers="bounce lmtp smtp smtpd",
    )  # fmt: skip
    """What the postmaster hears about: bounce, 2bounce, data, delay, policy, protocol, resource, software."""
