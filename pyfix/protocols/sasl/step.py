"""What the server's side of a dialogue comes to after each message of the client's."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Challenge", "Failure", "Step", "Success"]


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server wants to hear more."""

    text: str
    """Base64."""


@dataclass(frozen=True, slots=True)
class Success:
    """The client is who it says."""

    username: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The client has not proved it, or nobody can tell."""

    reason: str
    username: str | None = None
    """Who it is about; None when that is not known."""
    temporary: bool = False
    """Nobody can tell now."""
    unheard: bool = False
    """The service has said nothing to it: whom it named last is who it is about."""
    problem: str = ""
    """What is wrong with the service, for the log."""


Step = Challenge | Success | Failure
