"""Counting clients: anvil(8)."""

from __future__ import annotations

from pyfix.config.parameter import duration
from pyfix.config.parameters.mail import MailSettings

__all__ = ["AnvilSettings"]


class AnvilSettings(MailSettings):
    """Counting clients: anvil(8)."""

    anvil_rate_time_unit = duration("60s", minimum=1)
    """Seconds over which rates are counted."""

    anvil_status_update_time = duration("600s", minimum=1)
    """Seconds between two log lines about the highest counts."""
