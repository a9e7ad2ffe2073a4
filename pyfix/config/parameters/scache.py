"""Shared connections: scache(8)."""

from __future__ import annotations

from pyfix.config.parameter import duration
from pyfix.config.parameters.mail import MailSettings

__all__ = ["ScacheSettings"]


class ScacheSettings(MailSettings):
    """Shared connections: scache(8)."""

    connection_cache_status_update_time = duration("600s", minimum=1)
    """Seconds between two log lines about the cache."""

    connection_cache_ttl_limit = duration("2s", minimum=1)
    """Seconds that a connection may be kept."""
