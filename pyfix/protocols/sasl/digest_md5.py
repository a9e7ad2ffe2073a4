"""DIGEST-MD5: both sides prove that they know the password.

Source: RFC 2831 (without its layers that encrypt or sign: qop "auth" only).
"""

from __future__ import annotations

import hmac
import re
from hashlib import md5
from typing import Final

from pyfix.protocols.sasl.mechanism import BadChallenge, ClientMechanism, Credentials
from pyfix.protocols.sasl.plain import BadMessage

__all__ = ["DigestMd5", "digest_challenge", "parse_directives", "proof", "secret_digest"]

_DIRECTIVE: Final = re.compile(
    rb"""[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*)\s*(?=,|$)""", re.DOTALL
)
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_COUNT: Final = b"00000001"
_MOST: Final = 4096
"""Bytes of a challenge or response.  Source: RFC 2831 sections 2.1.1 and 2.1.2."""


def parse_directives(text: bytes) -> dict[bytes, bytes]:
    """Return what ``name=value, name="value"`` says; of a name that comes twice, the first value.

    Raises ValueError for anything else.
    """
    if len(text) > _MOST:
        raise ValueError("too long")
    found: dict[bytes, bytes] = {}
    position = 0
    while text[position:].strip(b", \t\r\n"):
        match = _DIRECTIVE.match(text, position)
        if match is None:
            raise ValueError("not a list of directives")
        value = match[2]
        if value.startswith(b'"'):
            value = _ESCAPED.sub(rb"\1", value[1:-1])
        found.setdefault(match[1].lower(), value)
        position = match.end()
    return found


def _quoted(value: bytes) -> bytes:
    return b'"' + re.sub(rb'(["\\])', rb"\\\1", value) + b'"'


def secret_digest(login: bytes, realm: bytes, password: bytes) -> bytes:
    """Return the digest that stands for the password."""
    return md5(b":".join((login, realm, password)), usedforsecurity=False).digest()


def proof(  # the parts are those of the formula in RFC 2831 section 2.1.2.1
    secret: bytes, nonce: bytes, client_nonce: bytes, uri: bytes, *, wanted: bytes = b"", server: bool = False
) -> bytes:
    """Return the client's proof, or the server's, in hexadecimal.  *wanted*: whom the client wants to be."""
    first = secret + b":" + nonce + b":" + client_nonce
    if wanted:
        first += b":" + wanted
    second = (b":" if server else b"AUTHENTICATE:") + uri
    parts = (_hex(first), nonce, _COUNT, client_nonce, b"auth", _hex(second))
    return _hex(b":".join(parts))


def _hex(data: bytes) -> bytes:
    return md5(data, usedforsecurity=False).hexdigest().encode("ascii")


def digest_challenge(nonce: bytes, realm: str) -> bytes:
    """Return what the server says first."""
    parts = [b"nonce=" + _quoted(nonce)]
    if realm:
        parts.append(b"realm=" + _quoted(realm.encode("utf-8", "surrogateescape")))
    parts += [b'qop="auth"', b"charset=utf-8", b"algorithm=md5-sess"]
    return b",".join(parts)


class ServerDialogue:
    """The server's side after the challenge."""

    def __init__(self, response: bytes, nonce: bytes) -> None:
        """Read the client's response.  Raises BadMessage."""
        try:
            said = parse_directives(response)
        except ValueError:
            raise BadMessage("parse error") from None
        if said.get(b"nonce") != nonce:
            raise BadMessage("server nonce changed: authentication aborted")
        if not said.get(b"username") or not said.get(b"cnonce") or not said.get(b"response"):
            raise BadMessage("required parameters missing")
        if said.get(b"nc", b"") != _COUNT or said.get(b"qop", b"auth") != b"auth":
            raise BadMessage("unsupported nonce count or protection")
        self.login: Final = said[b"username"]
        self.realm: Final = said.get(b"realm", b"")
        self.wanted: Final = said.get(b"authzid", b"")
        self._nonce = nonce
        self._client_nonce = said[b"cnonce"]
        self._uri = said.get(b"digest-uri", b"")
        self._proof = said[b"response"]

    def answer(self, password: bytes) -> bytes | None:
        """Return the server's own proof, None when the client's is wrong."""
        secret = secret_digest(self.login, self.realm, password)
        arguments = (secret, self._nonce, self._client_nonce, self._uri)
        if not hmac.compare_digest(proof(*arguments, wanted=self.wanted), self._proof):
            return None
        return b"rspauth=" + proof(*arguments, wanted=self.wanted, server=True)


class DigestMd5(ClientMechanism):
    """The client's side."""

    name = "DIGEST-MD5"

    __slots__ = ("_expected", "_nonce")

    def __init__(self, credentials: Credentials, client_nonce: bytes) -> None:
        """*client_nonce*: a text that was never used before."""
        super().__init__(credentials)
        self._nonce = client_nonce
        self._expected = b""

    def respond(self, challenge: bytes) -> bytes:
        """Return the response to the challenge, and nothing to the server's own proof.  Raises BadChallenge."""
        try:
            said = parse_directives(challenge)
        except ValueError:
            raise BadChallenge("failure: Parse error") from None
        if self._expected:
            if not hmac.compare_digest(said.get(b"rspauth", b""), self._expected):
                raise BadChallenge("failure: the server does not know the password")
            return b""
        return self._first(said)

    def _first(self, said: dict[bytes, bytes]) -> bytes:
        nonce = said.get(b"nonce")
        if not nonce or said.get(b"algorithm") != b"md5-sess":
            raise BadChallenge("failure: no nonce, or another algorithm")
        if b"auth" not in re.split(rb"[\s,]+", said.get(b"qop", b"auth")):
            raise BadChallenge("failure: no protection that we know")
        login, at, domain = self.credentials.login.rpartition(b"@")
        realm = said.get(b"realm", b"")
        if not realm:
            realm = domain if at else self.credentials.host.encode("utf-8", "surrogateescape")
        name = login if at and domain == realm else self.credentials.login
        uri = f"{self.credentials.service}/{self.credentials.host}".encode("utf-8", "surrogateescape")
        secret = secret_digest(name, realm, self.credentials.secret)
        wanted = self.credentials.wanted.encode("utf-8", "surrogateescape")
        self._expected = proof(secret, nonce, self._nonce, uri, wanted=wanted, server=True)
        parts = [
            b"username=" + _quoted(name),
            b"realm=" + _quoted(realm),
            b"nonce=" + _quoted(nonce),
            b"cnonce=" + _quoted(self._nonce),
            b"nc=" + _COUNT,
            b"qop=auth",
            b"digest-uri=" + _quoted(uri),
            b"response=" + proof(secret, nonce, self._nonce, uri, wanted=wanted),
        ]
        if wanted:
            parts.append(b"authzid=" + _quoted(wanted))
        if said.get(b"charset", b"").lower() == b"utf-8":
            parts.insert(0, b"charset=utf-8")
        return b",".join(parts)
