"""What showq(8) reads."""

from __future__ import annotations

from pyfix.config.parameters.address_mappings import AddressMappingSettings
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.notification import NotificationSettings

__all__ = ["ShowqSettings"]


class ShowqSettings(AddressMappingSettings, NotificationSettings, MailSettings):
    """What showq(8) reads."""
