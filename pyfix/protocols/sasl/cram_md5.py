"""CRAM-MD5: a keyed digest of what the server says.

Source: RFC 2195.
"""

from __future__ import annotations

import hmac

from pyfix.protocols.sasl.mechanism import OVER, BadChallenge, ClientMechanism, Credentials
from pyfix.protocols.sasl.plain import BadMessage

__all__ = ["CramMd5", "cram_challenge", "cram_digest", "parse_cram"]


def cram_digest(secret: bytes, challenge: bytes) -> bytes:
    """Return the proof that its sender knows *secret*, in hexadecimal."""
    return hmac.digest(secret, challenge, "md5").hex().encode("ascii")


def cram_challenge(number: int, seconds: int, host: str) -> bytes:
    """Return a challenge: a number that was never used before, and which time it is where."""
    return f"<{number}.{seconds}@{host}>".encode("utf-8", "surrogateescape")


def parse_cram(message: bytes) -> tuple[bytes, bytes]:
    """Return name and digest.  Raises BadMessage."""
    login, blank, digest = message.rpartition(b" ")
    if not blank:
        raise BadMessage("need authentication name")
    return login, digest


class CramMd5(ClientMechanism):
    """The client's side."""

    name = "CRAM-MD5"

    __slots__ = ("_over",)

    def __init__(self, credentials: Credentials) -> None:
        super().__init__(credentials)
        self._over = False

    def respond(self, challenge: bytes) -> bytes:
        """Return name and digest.  Raises BadChallenge the second time."""
        if self._over:
            raise BadChallenge(*OVER)
        self._over = True
        return self.credentials.login + b" " + cram_digest(self.credentials.secret, challenge)
