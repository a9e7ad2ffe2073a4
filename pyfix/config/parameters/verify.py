"""Address verification: verify(8)."""

from __future__ import annotations

from pyfix.config.parameter import duration, text
from pyfix.config.parameters.address_probe import AddressProbeSettings
from pyfix.config.parameters.mail import MailSettings

__all__ = ["VerifySettings"]


class VerifySettings(AddressProbeSettings, MailSettings):
    """Address verification: verify(8)."""

    address_verify_cache_cleanup_interval = duration("12h")
    address_verify_map = text("$default_cache_db_type:$data_directory/verify_cache")
    address_verify_negative_expire_time = duration("3d", minimum=1)
    address_verify_negative_refresh_time = duration("3h", minimum=1)
    address_verify_positive_expire_time = duration("31d", minimum=1)
    address_verify_positive_refresh_time = duration("7d", minimum=1)
