"""What the client's side of all mechanisms has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Final

__all__ = ["OVER", "BadChallenge", "ClientMechanism", "Credentials"]


class BadChallenge(Exception):
    """The server says what the mechanism does not know, or proves to be another one; the text is for the log."""

    def __init__(self, problem: str, reason: str = "authentication failure") -> None:
        """*reason* is what it comes to, in Cyrus SASL's words."""
        super().__init__(problem)
        self.reason: Final = reason


OVER: Final = ("problem: attempting client step after doneflag", "generic failure")
"""What is said of a challenge that comes when the mechanism is over."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who a client is."""

    username: str
    password: str = field(repr=False)
    """The secret: a password, or the token of a mechanism for tokens.  It is in no representation of the object."""
    wanted: str = ""
    """Whom the client wants to be; empty: itself."""
    host: str = ""
    """The server's name, as the client knows it."""
    service: str = "smtp"
    port: int = 25

    @property
    def login(self) -> bytes:
        """The name as bytes."""
        return self.username.encode("utf-8", "surrogateescape")

    @property
    def secret(self) -> bytes:
        """The password as bytes."""
        return self.password.encode("utf-8", "surrogateescape")


class ClientMechanism(ABC):
    """A client's side of one dialogue."""

    name: ClassVar[str]

    __slots__ = ("credentials",)

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials

    def initial(self) -> bytes | None:
        """Return what the client says first, None where the server speaks first."""
        return None

    @abstractmethod
    def respond(self, challenge: bytes) -> bytes:
        """Return the response to a challenge.  Raises BadChallenge."""
