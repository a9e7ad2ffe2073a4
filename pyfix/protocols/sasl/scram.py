"""SCRAM-SHA-1 and SCRAM-SHA-256, the client's side, without channel binding.

Source: RFC 5802; RFC 7677.
"""

from __future__ import annotations

import hmac
from binascii import Error, a2b_base64
from hashlib import new as new_hash
from hashlib import pbkdf2_hmac
from typing import ClassVar

from pyfix.protocols.sasl.base64text import encoded
from pyfix.protocols.sasl.mechanism import OVER, BadChallenge, ClientMechanism, Credentials

__all__ = ["MOST_ROUNDS", "Scram", "ScramSha1", "ScramSha256"]

MOST_ROUNDS = 1_000_000
"""More rounds than this are not worked out for any server: it could keep us busy for as long as it likes."""
_GARBLED = "bad protocol / cancel"


def _attributes(message: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for part in message.split(b","):
        name, equals, value = part.partition(b"=")
        if not equals or len(name) != 1:
            raise BadChallenge("failure: not a SCRAM message", _GARBLED)
        found.setdefault(name, value)
    return found


def _unbase64(text: bytes) -> bytes:
    try:
        return a2b_base64(text, strict_mode=True)
    except (Error, ValueError):
        raise BadChallenge("failure: bad base64 in a SCRAM message", _GARBLED) from None


class Scram(ClientMechanism):
    """The client's side; subclasses name the hash."""

    hash_name: ClassVar[str]

    __slots__ = ("_first", "_header", "_nonce", "_server_signature", "_step")

    def __init__(self, credentials: Credentials, client_nonce: bytes) -> None:
        """*client_nonce*: printable characters but commas, never used before."""
        super().__init__(credentials)
        self._nonce = client_nonce
        login = credentials.login.replace(b"=", b"=3D").replace(b",", b"=2C")
        wanted = credentials.wanted.encode("utf-8", "surrogateescape").replace(b"=", b"=3D").replace(b",", b"=2C")
        self._header = b"n," + (b"a=" + wanted if wanted else b"") + b","
        self._first = b"n=" + login + b",r=" + client_nonce
        self._server_signature = b""
        self._step = 0

    def initial(self) -> bytes:
        """Return name and nonce."""
        return self._header + self._first

    def respond(self, challenge: bytes) -> bytes:
        """Return the proof to the server's first message, nothing to its own proof.  Raises BadChallenge."""
        self._step += 1
        if self._step == 1:
            return self._prove(challenge)
        if self._step > 2:
            raise BadChallenge(*OVER)
        said = _attributes(challenge)
        if not hmac.compare_digest(_unbase64(said.get(b"v", b"")), self._server_signature):
            raise BadChallenge("failure: the server does not know the password", _GARBLED)
        return b""

    def _prove(self, challenge: bytes) -> bytes:
        said = _attributes(challenge)
        nonce, rounds = said.get(b"r", b""), said.get(b"i", b"")
        salt = _unbase64(said.get(b"s", b""))
        if b"m" in said:
            raise BadChallenge("failure: an extension of SCRAM that we do not know", _GARBLED)
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise BadChallenge("failure: the server changed the nonce", _GARBLED)
        if not salt or not rounds.isdigit() or len(rounds) > 7 or not 0 < int(rounds) <= MOST_ROUNDS:
            raise BadChallenge("failure: no salt, or an impossible number of rounds", _GARBLED)
        salted = pbkdf2_hmac(self.hash_name, self.credentials.secret, salt, int(rounds))
        client_key = self._keyed(salted, b"Client Key")
        without_proof = b"c=" + encoded(self._header).encode("ascii") + b",r=" + nonce
        whole = b",".join((self._first, challenge, without_proof))
        signature = self._keyed(new_hash(self.hash_name, client_key).digest(), whole)
        self._server_signature = self._keyed(self._keyed(salted, b"Server Key"), whole)
        proof = bytes(mine ^ other for mine, other in zip(client_key, signature, strict=True))
        return without_proof + b",p=" + encoded(proof).encode("ascii")

    def _keyed(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, self.hash_name)


class ScramSha1(Scram):
    """SCRAM-SHA-1."""

    name = "SCRAM-SHA-1"
    hash_name = "sha1"

    __slots__ = ()


class ScramSha256(Scram):
    """SCRAM-SHA-256."""

    name = "SCRAM-SHA-256"
    hash_name = "sha256"

    __slots__ = ()
