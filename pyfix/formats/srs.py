"""Sender rewriting: an address of somebody else's packed into one of our own domain, signed and dated, and out again.

What is forwarded goes out with a sender of ours, so that a receiver who asks which hosts may send for the sender's
domain (SPF) asks about us.  What is returned comes to that address, and goes on from there to the first sender.
``SRS0`` packs an address, ``SRS1`` one that another site has packed.  Source: "The Sender Rewriting Scheme" (M. Wilson,
S. Meng, 2003), as libsrs2 and postsrsd have it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["SEPARATORS", "BadRewrittenAddress", "SenderRewritingScheme", "is_rewritten"]

SEPARATORS: Final = "=+-"
"""What may follow the tag."""
_SRS0: Final = "SRS0"
_SRS1: Final = "SRS1"
_BETWEEN: Final = "="
"""What stands between the parts, whatever follows the tag."""
_DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
"""Of a date, five bits each."""
_DAYS: Final = len(_DIGITS) ** 2
"""After so many days a date comes again."""


class BadRewrittenAddress(Exception):
    """An address that looks like a rewritten one, and was not made by us, or is too old; the text is the reason."""


def is_rewritten(localpart: str) -> bool:
    """Say whether a localpart has the form of a rewritten one, of anybody's."""
    return localpart[:4].upper() in (_SRS0, _SRS1) and localpart[4:5] != "" and localpart[4] in SEPARATORS


@dataclass(frozen=True)
class SenderRewritingScheme:
    """How one site packs addresses."""

    keys: Sequence[bytes]
    """Secrets, at least one: the first signs, all of them are good for checking."""
    separator: str = "="
    """What follows the tag: one of SEPARATORS."""
    hash_length: int = 4
    """Characters of a signature, six bits each, of which many programs on the way forget the case."""
    maximum_age: int = 21
    """Days for which an address can be unpacked, at most 1023."""

    def pack(self, address: str, domain: str, day: int) -> str:
        """Return the address in *domain* for *address* (internal form), which has a domain, too.

        *day* counts from 1970-01-01.
        """
        localpart, _, host = address.rpartition("@")
        if is_rewritten(localpart):
            if localpart[:4].upper() == _SRS0:
                return self._packed_again(host, localpart[4:], domain)
            _, first, rest = _split(localpart[5:], 3)
            if first and rest[:1] in SEPARATORS and rest:
                return self._packed_again(first, rest, domain)  # who has packed it in between is of no interest
        date = _DIGITS[day % _DAYS // len(_DIGITS)] + _DIGITS[day % len(_DIGITS)]
        parts = (self._sign(self.keys[0], date, host, localpart), date, host, localpart)
        return f"{_SRS0}{self.separator}{_BETWEEN.join(parts)}@{domain}"

    def _packed_again(self, host: str, rest: str, domain: str) -> str:
        parts = (self._sign(self.keys[0], host, rest), host, rest)
        return f"{_SRS1}{self.separator}{_BETWEEN.join(parts)}@{domain}"

    def unpack(self, localpart: str, day: int) -> str:
        """Return the address (internal form) that was packed into *localpart*.  Raises BadRewrittenAddress."""
        if localpart[:4].upper() == _SRS1:
            signature, host, rest = _split(localpart[5:], 3)
            if not host or rest[:1] not in SEPARATORS or not rest:
                raise BadRewrittenAddress("malformed SRS address")
            self._check(signature, host, rest)
            return f"{_SRS0}{rest}@{host}"
        signature, date, host, user = _split(localpart[5:], 4)
        if not host or not user:
            raise BadRewrittenAddress("malformed SRS address")
        self._check(signature, date, host, user)
        digits = [_DIGITS.find(digit) for digit in date.upper()]
        if len(digits) != 2 or -1 in digits:  # a date has two digits
            raise BadRewrittenAddress("malformed SRS address")
        if (day - digits[0] * len(_DIGITS) - digits[1]) % _DAYS > self.maximum_age:
            raise BadRewrittenAddress("SRS address has expired")
        return f"{user}@{host}"

    def _check(self, signature: str, *parts: str) -> None:
        given = signature.lower().encode("utf-8", "surrogateescape")
        good = [self._sign(key, *parts).lower().encode() for key in self.keys]
        if not any(hmac.compare_digest(given, one) for one in good):
            raise BadRewrittenAddress("SRS address with a bad signature")

    def _sign(self, key: bytes, *parts: str) -> str:
        text = "".join(parts).encode("utf-8", "surrogateescape").lower()
        return base64.b64encode(hmac.digest(key, text, hashlib.sha1)).decode()[: self.hash_length]


def _split(text: str, count: int) -> list[str]:
    """Return *count* parts, of which the last has what is left; those that are not there are empty."""
    parts = text.split(_BETWEEN, count - 1)
    return parts + [""] * (count - len(parts))
