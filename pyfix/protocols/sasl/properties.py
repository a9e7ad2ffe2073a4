"""What a mechanism is like, and which mechanisms a site wants to do without.

Source: RFC 4422 section 3; postconf(5) smtpd_sasl_security_options, smtp_sasl_security_options.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = [
    "ACTIVE",
    "ANONYMOUS",
    "DICTIONARY",
    "FORWARD_SECRECY",
    "MECHANISMS",
    "MUTUAL_AUTH",
    "PLAINTEXT",
    "PRIVATE",
    "Demands",
    "Mechanism",
    "UnknownOption",
]

PLAINTEXT: Final = "plaintext"
"""Whoever listens knows the password."""
ACTIVE: Final = "active"
"""Whoever stands between can act as the client."""
DICTIONARY: Final = "dictionary"
"""Whoever listens can try passwords."""
ANONYMOUS: Final = "anonymous"
"""Nobody has to prove anything."""
FORWARD_SECRECY: Final = "forward-secrecy"
MUTUAL_AUTH: Final = "mutual-auth"
PRIVATE: Final = "private"
"""Not to be offered to clients."""

_FORBIDDING: Final = {
    "noplaintext": PLAINTEXT,
    "noactive": ACTIVE,
    "nodictionary": DICTIONARY,
    "noanonymous": ANONYMOUS,
}
_REQUIRING: Final = {"forward_secrecy": FORWARD_SECRECY, "mutual_auth": MUTUAL_AUTH}

MECHANISMS: Final[dict[str, frozenset[str]]] = {
    "PLAIN": frozenset((PLAINTEXT, ACTIVE, DICTIONARY)),
    "LOGIN": frozenset((PLAINTEXT, ACTIVE, DICTIONARY)),
    "CRAM-MD5": frozenset((ACTIVE, DICTIONARY)),
    "DIGEST-MD5": frozenset((ACTIVE, DICTIONARY, MUTUAL_AUTH)),
    "SCRAM-SHA-1": frozenset((DICTIONARY, MUTUAL_AUTH)),
    "SCRAM-SHA-256": frozenset((DICTIONARY, MUTUAL_AUTH)),
    "XOAUTH2": frozenset((PLAINTEXT, ACTIVE)),
    "OAUTHBEARER": frozenset((PLAINTEXT, ACTIVE)),
}
"""What the mechanisms that we speak ourselves are like, as Cyrus SASL describes them."""


class UnknownOption(Exception):
    """A word that is no security option."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A mechanism that a service offers."""

    name: str
    properties: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Demands:
    """What a site's security options ask of a mechanism."""

    forbidden: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()

    @classmethod
    def of(cls, words: Sequence[str]) -> Demands:
        """Read the words of a *_sasl_*security_options parameter.  Raises UnknownOption."""
        forbidden, required = set(), set()
        for word in words:
            name = word.lower()
            if name in _FORBIDDING:
                forbidden.add(_FORBIDDING[name])
            elif name in _REQUIRING:
                required.add(_REQUIRING[name])
            else:
                raise UnknownOption(word)
        return cls(frozenset(forbidden), frozenset(required))

    def admit(self, properties: frozenset[str]) -> bool:
        """Say whether a mechanism with these properties will do."""
        return self.forbidden.isdisjoint(properties) and self.required <= properties
