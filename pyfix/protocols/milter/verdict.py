"""What a milter says about a client, a recipient or a message.  None stands for: go on."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Discard", "Hold", "Refuse", "ShutDown", "Verdict"]


@dataclass(frozen=True, slots=True)
class Hold:
    """Put the message on hold."""

    reason: str
    """Empty when the milter gave none."""


@dataclass(frozen=True, slots=True)
class Discard:
    """Accept the message and drop it."""


@dataclass(frozen=True, slots=True)
class ShutDown:
    """End the session."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuse with an SMTP reply."""

    reply: str
    """Code, perhaps an enhanced status code, and text; lines are separated as they came, by CR LF."""
    logged: bool = False
    """The log has been told."""


Verdict = Hold | Discard | ShutDown | Refuse
