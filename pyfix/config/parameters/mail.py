"""What every program reads."""

from __future__ import annotations

from pyfix.config.parameters.content import ContentSettings
from pyfix.config.parameters.databases import DatabaseSettings
from pyfix.config.parameters.identity import IdentitySettings
from pyfix.config.parameters.instances import InstanceSettings
from pyfix.config.parameters.logging import LoggingSettings
from pyfix.config.parameters.paths import PathSettings
from pyfix.config.parameters.process import ProcessSettings
from pyfix.config.parameters.queue_files import QueueFileSettings
from pyfix.config.parameters.resolver import ResolverSettings
from pyfix.config.parameters.services import ServiceNameSettings

__all__ = ["MailSettings"]


class MailSettings(
    IdentitySettings,
    PathSettings,
    InstanceSettings,
    LoggingSettings,
    ServiceNameSettings,
    QueueFileSettings,
    ContentSettings,
    DatabaseSettings,
    ResolverSettings,
    ProcessSettings,
):
    """What every program reads."""
