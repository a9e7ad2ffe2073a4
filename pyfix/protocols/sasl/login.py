"""LOGIN: name and password, asked for one by one.

Source: draft-murchison-sasl-login.
"""

from __future__ import annotations

from typing import Final

from pyfix.protocols.sasl.mechanism import OVER, BadChallenge, ClientMechanism, Credentials

__all__ = ["ASK_NAME", "ASK_PASSWORD", "Login"]

ASK_NAME: Final = b"Username:"
ASK_PASSWORD: Final = b"Password:"


class Login(ClientMechanism):
    """The client's side: whatever the questions are, the first is for the name."""

    name = "LOGIN"

    __slots__ = ("_asked",)

    def __init__(self, credentials: Credentials) -> None:
        super().__init__(credentials)
        self._asked = 0

    def respond(self, challenge: bytes) -> bytes:
        """Answer the next question.  Raises BadChallenge for a third one."""
        self._asked += 1
        if self._asked > 2:
            raise BadChallenge(*OVER)
        return self.credentials.login if self._asked == 1 else self.credentials.secret
