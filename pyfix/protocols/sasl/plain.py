"""PLAIN: name and password in one message.

Source: RFC 4616.
"""

from __future__ import annotations

from pyfix.protocols.sasl.mechanism import OVER, BadChallenge, ClientMechanism

__all__ = ["BadMessage", "Plain", "parse_plain"]


class BadMessage(Exception):
    """A client's message is not in the form that its mechanism asks for."""


class Plain(ClientMechanism):
    """The client's side."""

    name = "PLAIN"

    __slots__ = ()

    def initial(self) -> bytes:
        """Return the whole message."""
        who = self.credentials
        return b"\0".join((who.wanted.encode("utf-8", "surrogateescape"), who.login, who.secret))

    def respond(self, challenge: bytes) -> bytes:
        """Refuse to say more."""
        raise BadChallenge(*OVER)


def parse_plain(message: bytes) -> tuple[bytes, bytes, bytes]:
    """Return whom the client wants to be, who it is, and its password.  Raises BadMessage."""
    wanted, null, rest = message.partition(b"\0")
    if not null:
        raise BadMessage("Can only find author (no password)")
    login, null, password = rest.partition(b"\0")
    if not null:
        raise BadMessage("Can only find author/en (no password)")
    if b"\0" in password:
        raise BadMessage("Got more data than we were expecting in the PLAIN plugin\n")
    return wanted, login, password
