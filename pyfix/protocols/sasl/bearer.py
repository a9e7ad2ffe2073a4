"""XOAUTH2 and OAUTHBEARER: a token instead of a password.

Source: Google's "XOAUTH2 Mechanism"; RFC 7628.
"""

from __future__ import annotations

from pyfix.protocols.sasl.mechanism import OVER, BadChallenge, ClientMechanism

__all__ = ["OAuthBearer", "XOAuth2"]


class XOAuth2(ClientMechanism):
    """XOAUTH2."""

    name = "XOAUTH2"

    __slots__ = ("_told",)

    def initial(self) -> bytes:
        """Return name and token."""
        self._told = False
        return b"user=" + self.credentials.login + b"\1auth=Bearer " + self.credentials.secret + b"\1\1"

    def respond(self, challenge: bytes) -> bytes:
        """Take note of why the server refuses, so that it may say so in its reply.  Raises BadChallenge."""
        if self._told:
            raise BadChallenge(*OVER)
        self._told = True
        return b""


class OAuthBearer(ClientMechanism):
    """OAUTHBEARER."""

    name = "OAUTHBEARER"

    __slots__ = ("_told",)

    def initial(self) -> bytes:
        """Return name, server and token."""
        self._told = False
        credentials = self.credentials
        login = credentials.login.replace(b"=", b"=3D").replace(b",", b"=2C")
        host = credentials.host.encode("utf-8", "surrogateescape")
        pairs = [b"host=" + host, b"port=%d" % credentials.port, b"auth=Bearer " + credentials.secret]
        return b"n,a=" + login + b",\1" + b"\1".join(pairs) + b"\1\1"

    def respond(self, challenge: bytes) -> bytes:
        """Take note of why the server refuses.  Raises BadChallenge."""
        if self._told:
            raise BadChallenge(*OVER)
        self._told = True
        return b"\1"
