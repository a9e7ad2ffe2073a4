"""Limits that make sense only together: one that does not fit another is adjusted, and the log says so."""

from __future__ import annotations

from typing import NamedTuple

from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.runtime.log import log


class Limits(NamedTuple):
    """What counts, whatever main.cf says."""

    recipients: int
    """Recipients in memory: at least one for each active message.  Source: qmgr_message_recipient_limit."""
    bounce_lifetime: int
    """Seconds that mail with the null sender stays: no longer than other mail.  Source: bounce_queue_lifetime."""


def adjusted_limits(settings: QmgrSettings) -> Limits:
    """Return the limits, after a warning for each that was adjusted."""
    recipients, active = settings.qmgr_message_recipient_limit, settings.qmgr_message_active_limit
    bounces, mail = settings.bounce_queue_lifetime, settings.maximal_queue_lifetime
    if recipients < active:
        _warn("qmgr_message_recipient_limit", "smaller", "qmgr_message_active_limit")
    if bounces > mail:
        _warn("bounce_queue_lifetime", "larger", "maximal_queue_lifetime")
    return Limits(max(recipients, active), min(bounces, mail))


def _warn(name: str, how: str, other: str) -> None:
    log.warning(f"{name} is {how} than {other} - adjusting {name}")
