"""Delivery to commands: pipe(8) and spawn(8)."""

from __future__ import annotations

from pyfix.config.parameter import duration, words
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Settings

__all__ = ["CommandDeliverySettings", "CommandServiceSettings"]


class CommandDeliverySettings(Settings):
    """Delivery to commands: pipe(8) and spawn(8)."""

    command_time_limit = duration("1000s", minimum=1)
    """Seconds that a command may take."""

    pipe_delivery_status_filter = words("$default_delivery_status_filter", readers="pipe")
    """What default_delivery_status_filter is for pipe(8)."""


class CommandServiceSettings(CommandDeliverySettings, MailSettings):
    """What pipe(8) and spawn(8) read."""
