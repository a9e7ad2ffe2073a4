"""Address verification: verify(8)."""

from __future__ import annotations

from pyfix.config.parameter import duration, text
from pyfix.config.parameters.address_probe import AddressProbeSettings
from pyfix.config.parameters.mail import MailSettings

__all__ = ["VerifySettings"]


class VerifySettings(AddressProbeSettings, MailSettings):
    """Address verification: verify(8)."""

    address_verify_cache_cleanup_interval = duration("12h")
    """Seconds between two clean-ups of the cache; 0: never."""

    address_verify_map = text("$default_cache_db_type:$data_directory/verify_cache", readers="proxymap verify")
    """The table of probe outcomes; empty: in memory."""

    address_verify_negative_expire_time = duration("3d", minimum=1)
    """Seconds after which a failed outcome is forgotten."""

    address_verify_negative_refresh_time = duration("3h", minimum=1)
    """Seconds after which a failed address is probed again."""

    address_verify_positive_expire_time = duration("31d", minimum=1)
    """Seconds after which a good outcome is forgotten."""

    address_verify_positive_refresh_time = duration("7d", minimum=1)
    """Seconds after which a good address is probed again."""
