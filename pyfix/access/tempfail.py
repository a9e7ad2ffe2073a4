"""What happens when the reason to refuse may go away: refuse for now, or only if all else would permit.

Source: postconf(5) reject_tempfail_action, unknown_address_tempfail_action, unknown_helo_hostname_tempfail_action,
unverified_recipient_tempfail_action, unverified_sender_tempfail_action.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pyfix.access.verdict import DeferIfPermit, Reject, Verdict
from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtpd import SmtpdSettings

__all__ = ["TempfailActions"]

_Action = Callable[[Reject], Verdict]


def _defer(reject: Reject) -> Verdict:
    return reject


_ACTIONS: Final[dict[str, _Action]] = {"defer": _defer, "defer_if_permit": DeferIfPermit}


class TempfailActions:
    """The actions that main.cf asks for."""

    def __init__(self, settings: SmtpdSettings) -> None:
        """Raises ConfigError."""
        self.unknown_address: Final = _action(
            "unknown_address_tempfail_action", settings.unknown_address_tempfail_action
        )
        self.unknown_helo_hostname: Final = _action(
            "unknown_helo_hostname_tempfail_action", settings.unknown_helo_hostname_tempfail_action
        )
        self.unverified_recipient: Final = _action(
            "unverified_recipient_tempfail_action", settings.unverified_recipient_tempfail_action
        )
        self.unverified_sender: Final = _action(
            "unverified_sender_tempfail_action", settings.unverified_sender_tempfail_action
        )


def _action(parameter: str, value: str) -> _Action:
    action = _ACTIONS.get(value)
    if action is None:
        raise ConfigError(f"bad configuration: {parameter} = {value}")
    return action
