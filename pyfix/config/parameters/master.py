"""The daemon that runs the others: master(8)."""

from __future__ import annotations

from pyfix.config.parameter import duration, words
from pyfix.config.parameters.mail import MailSettings

__all__ = ["MasterSettings"]


class MasterSettings(MailSettings):
    """The daemon that runs the others: master(8)."""

    master_service_disable = words("")
    """The services not to run, as name/type; a match list."""

    pyfix_drain_time = duration("0s", minimum=0, own=True)
    """Seconds that sessions and deliveries have to come to their end after master(8) was told to terminate; 0: none."""

    service_throttle_time = duration("60s", minimum=1)
    """Seconds before a service that failed to start is started again."""
